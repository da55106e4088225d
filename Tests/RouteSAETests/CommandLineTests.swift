import Foundation
import TestSupport
import Testing

/// Answers to misspelled command lines, and to common mistakes in text files.
@Suite struct CommandLineTests {
    @Test(
        "A near miss is answered with the intended command",
        arguments: [
            (["trian", "x"], "there is no verb 'trian'; did you mean 'routesae train'?"),
            (["Train", "x"], "did you mean 'routesae train'?"), (["ls"], "did you mean 'routesae features'?"),
            (["eval", "--help"], "did you mean 'routesae evaluate'?"),
            (["help", "NONSENSE"], "there is no verb 'NONSENSE'; the verbs are demo, train"),
            (["help", "featuers"], "did you mean 'routesae features'?"),
            (["help", "benchmark", "nonsense"], "there is no verb 'nonsense'; the verbs are train, memory"),
            (["benchmark", "trian"], "did you mean 'routesae benchmark train'?"),
            (["nonsense", "--help"], "there is no verb 'nonsense'"), (["version"], "'routesae --version' says it"),
            (["train", "c", "--layer", "3"], "Did you mean '--layers'?"),
            (["activations", "--layer", "3"], "Did you mean '--layers'?"),
            (["features", "c", "--json"], "Did you mean '--format json'?"),
            (["runs", "c", "--csv"], "Did you mean '--format csv'?"),
            (["steer", "c", "--prompts", "x"], "Did you mean '--prompt'?"),
            (["features", "c", "--prompt", "x"], "Did you mean '--fires-on'?"),
            (["index", "c", "--prompt=x"], "It is an option of 'steer'"),
            (["index", "c", "--model", "m", "--text", "t", "--n-tokens", "3"], "Did you mean '--tokens'?"),
            (["score", "c", "--tests", "explanation"], "one of 'simulation', 'detection', 'fuzzing' or 'rubric'"),
        ] as [([String], String)])
    func whatIsMeantIsNamed(arguments: [String], words: String) throws {
        let outcome = try Program.run(arguments, in: TemporaryDirectory())
        #expect(outcome.status == 64 && outcome.output.isEmpty)
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1)
    }

    @Test("Help for every topic") func helpOfWhatThereIs() throws {
        let directory = try TemporaryDirectory()
        for arguments in [
            ["help"], ["help", "train"], ["help", "benchmark", "train"], ["--help"], ["train", "--help"], [],
        ] {
            let outcome = try Program.run(arguments, in: directory)
            #expect(outcome.status == 0 && outcome.output.contains("USAGE: routesae"), "\(arguments)")
        }
        #expect(!(try Program.run(["score", "--help"], in: directory)).output.contains("explanation, simulation"))
    }

    @Test("A quiet sweep still reports its failure") func aSweepSaysWhyItFailedAlsoWhenQuiet() throws {
        let directory = try TemporaryDirectory()
        let sweep = """
            {"model": "\(CommandTests.model)", "text": ["\(CommandTests.heldout)"], "steps": 12, "batchTokens": 64,
             "latents": 64, "k": 4, "layers": [1, 2], "context": 64, "shuffleBuffer": 64,
             "dictionaries": [{"name": "sound"}, {"name": "wild", "learningRate": 1e38}]}
            """
        try sweep.write(toFile: directory.file("s.json"), atomically: true, encoding: .utf8)
        let outcome = try Program.run(["sweep", "c.sqlite", "--config", "s.json", "-q"], in: directory)
        #expect(outcome.status == 65)
        #expect(outcome.errors.contains("wild: dropped out, "), "\(outcome.errors)")
    }

    @Test("Text files are read or the problem is named") func textIsReadOrNamed() throws {
        let directory = try TemporaryDirectory()
        func export(_ name: String, _ bytes: [UInt8]) throws -> Program.Outcome {
            try Data(bytes).write(to: URL(filePath: directory.file(name)))
            return try Program.run(
                [
                    "activations", "--model", CommandTests.model, "--text", name, "--layers", "1", "--output",
                    "a.safetensors", "--force", "-q",
                ], in: directory)
        }

        let marked = try export("a.TXT", [0xFF, 0xFE] + "the king".utf16.flatMap { [UInt8($0), 0] })
        #expect(marked.status == 0 && marked.errors.isEmpty, "\(marked.errors)")
        // The warning is also for those who want no progress.
        let few = try export("b.txt", Array("na".utf8) + [0xEF] + Array("ve caf".utf8) + [0xE9])
        #expect(few.status == 0 && few.errors.contains("b.txt: 2 of its bytes are no text"), "\(few.errors)")
        let many = try export("c.txt", Array(repeating: 0xE9, count: 30))
        #expect(many.status == 65 && many.errors.contains("c.txt: 30 of its 30 bytes"), "\(many.errors)")
        let record = try export("d.jsonl", Array("{\"text\":\"the king\",\"x\":NaN}\n{\"txt\":1}".utf8))
        #expect(
            record.status == 65 && record.errors.contains("d.jsonl:2: is not a JSON object with"), "\(record.errors)")
        mkfifo(directory.file("e.txt"), 0o600)
        let pipe = try Program.run(
            [
                "train", "c.sqlite", "--model", CommandTests.model, "--text", "e.txt", "--latents", "8", "--k", "2",
                "--steps", "1",
            ],
            in: directory)
        #expect(pipe.status == 65 && pipe.errors.contains("e.txt: is a pipe (FIFO)"), "\(pipe.errors)")
    }

    /// A document that is one long word, and a file that is nothing but line ends: 1.1 GB before.
    @Test(arguments: ["word.txt", "lines.jsonl"]) func longLinesTakeBoundedMemory(name: String) throws {
        let directory = try TemporaryDirectory()
        let bytes =
            name == "word.txt"
            ? Data(repeating: 0x61, count: 20_000_000)
            : Data(repeating: 0x0A, count: 50_000_000) + Data("{\"text\":\"the king said unto him\"}".utf8)
        try bytes.write(to: URL(filePath: directory.file(name)))
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = [
            "-c", "ulimit -d 460800; exec \"$0\" \"$@\"", Program.url.path, "activations", "--model",
            CommandTests.model,
            "--text", name, "--layers", "1", "--output", "a.safetensors", "--tokens", "300", "--threads", "1", "-q",
        ]
        process.currentDirectoryURL = directory.url
        process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
        process.standardError = FileHandle.nullDevice
        try process.start()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 0)
    }

    @Test(
        "Former option names work",
        arguments: [
            (["index", "c", "--model", "m", "--text", "t", "--index-tokens=3"], 66),
            (
                ["activations", "--model", "m", "--text", "t", "--layers", "1", "--output", "o", "--max-tokens", "3"],
                66
            ),
            (["features", "c", "--layer", "3"], 66), (["features", "c", "--layers=3-5"], 66),
            (["index", "c", "--max-tokens", "3"], 64),
        ] as [([String], Int32)])
    func formerNamesOfOptionsWork(arguments: [String], status: Int32) throws {
        let outcome = try Program.run(arguments, in: TemporaryDirectory())
        #expect(outcome.status == status, "\(outcome.errors)")
    }
}
