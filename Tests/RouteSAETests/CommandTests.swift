import Foundation
import TestSupport
import Testing

/// The whole program on the shipped model: input, output, and files left on the disk.
@Suite(.serialized) struct CommandTests {
    static let model = repositoryFile("Demo/model")
    static let heldout = repositoryFile("Demo/text/heldout/bible.jsonl")

    /// A small catalog, made by the program itself, once; what it leaves is what the folder then holds.
    private static let made = Result {
        let directory = try TemporaryDirectory()
        let train = try Program.run(
            [
                "train", "c.sqlite", "--model", model, "--text", heldout, "--latents", "256", "--k", "8",
                "--shuffle-buffer", "2048", "--batch-tokens", "1024", "--steps", "12", "--context", "128", "--seed",
                "7", "--name", "small",
            ], in: directory)
        #expect(train.status == 0, "\(train.errors)")
        #expect(train.output.isEmpty)
        let index = try Program.run(
            [
                "index", "c.sqlite", "--model", model, "--text", heldout, "--tokens", "6000", "--context", "128",
            ], in: directory)
        #expect(index.status == 0, "\(index.errors)")
        let score = try Program.run(
            ["score", "c.sqlite", "--model", model, "--sample", "6", "--maximum-suffix", "4"], in: directory)
        #expect(score.status == 0, "\(score.errors)")
        return directory
    }

    private func makeCatalog(in directory: TemporaryDirectory) throws {
        let made = try Self.made.get()
        for name in try FileManager.default.contentsOfDirectory(atPath: made.path) where name.hasPrefix("c.sqlite") {
            try FileManager.default.copyItem(atPath: made.file(name), toPath: directory.file(name))
        }
    }

    @Test("From text to query results") func fromTextToAnswers() throws {
        let directory = try TemporaryDirectory()
        try makeCatalog(in: directory)
        // One plain file.
        let files = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        #expect(files.filter { $0.hasPrefix("c.sqlite") } == ["c.sqlite"])

        for format in ["table", "json", "jsonl", "csv", "tsv", "markdown"] {
            for verb in [
                ["features", "c.sqlite", "--limit", "3"], ["feature", "c.sqlite", "0"], ["layers", "c.sqlite"],
                ["count", "c.sqlite"], ["runs", "c.sqlite"], ["sql", "c.sqlite", "SELECT 1 AS one, 'a' AS b"],
                ["search", "c.sqlite", "the"],
            ] {
                let outcome = try Program.run(verb + ["--format", format], in: directory)
                #expect(outcome.status == 0, "\(verb) \(format): \(outcome.errors)")
                #expect(!outcome.output.isEmpty, "\(verb) \(format)")
                if format == "json" {
                    #expect(throws: Never.self, "\(verb)") {
                        try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
                    }
                }
            }
        }

        let count = try Program.run(["count", "c.sqlite", "--threshold", "2", "--format", "csv"], in: directory)
        #expect(count.output.split(whereSeparator: \.isNewline).count == 2)
        #expect(try Program.run(["verify", "c.sqlite"], in: directory).status == 0)
    }

    @Test("The sqlite3 shell answers the example question") func anySQLiteToolAnswersTheQuestion() throws {
        let directory = try TemporaryDirectory()
        try makeCatalog(in: directory)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/sqlite3")
        let question =
            "SELECT feature_index FROM feature_summary WHERE peak_layer = 4 AND firing_rate < 0.01 ORDER BY 1"
        process.arguments = [directory.file("c.sqlite"), question]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.start()
        let answer = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let ours = try Program.run(["sql", "c.sqlite", question, "--format", "csv"], in: directory)
        let numbers = ours.output.split(whereSeparator: \.isNewline).dropFirst().map(String.init)
        #expect(answer.split(whereSeparator: \.isNewline).map(String.init) == numbers)
    }

    @Test("A run can be repeated from the ledger") func aRunCanBeTrainedAgainFromItsLedger() throws {
        let directory = try TemporaryDirectory()
        try makeCatalog(in: directory)
        let run = try Program.run(["runs", "c.sqlite", "1", "--format", "json"], in: directory)
        try run.output.write(toFile: directory.file("run.json"), atomically: true, encoding: .utf8)
        let again = try Program.run(["train", "d.sqlite", "--config", "run.json"], in: directory)
        #expect(again.status == 0, "\(again.errors)")
        let losses = try ["c.sqlite", "d.sqlite"].map {
            try Program.run(
                [
                    "sql", $0, "SELECT step, value FROM run_metric WHERE run_id = 1 AND name = 'loss'", "--format",
                    "csv",
                ],
                in: directory
            ).output
        }
        #expect(losses[0] == losses[1])
        #expect(losses[0].split(whereSeparator: \.isNewline).count == 13)
    }

    @Test(
        "Invalid input gives one line and the documented exit status",
        arguments: [
            (["features", "none.sqlite"], 66), (["features", "text.sqlite"], 65), (["features"], 64),
            (
                [
                    "train", "n.sqlite", "--model", "nowhere", "--text", "t.txt", "--latents", "8", "--k", "2",
                    "--steps", "1",
                ], 66
            ),
            (
                [
                    "train", "n.sqlite", "--model", model, "--text", "t.txt", "--latents", "8", "--k", "9", "--steps",
                    "1",
                ], 64
            ),
            (
                [
                    "train", "n.sqlite", "--model", model, "--text", "blank.txt", "--latents", "8", "--k", "2",
                    "--steps", "1",
                ], 65
            ),
            (["train", "n.sqlite", "--model", model, "--text", "t.txt", "--latents", "8", "--k", "2"], 64),
            (
                [
                    "train", "text.sqlite", "--model", model, "--text", "t.txt", "--latents", "8", "--k", "2",
                    "--steps", "1",
                ], 73
            ),
            (["train", "n.sqlite", "--activations", "text.sqlite", "--latents", "8", "--k", "2", "--steps", "1"], 65),
            (
                [
                    "train", "n.sqlite", "--model", model, "--text", "t.txt", "--layers", "16", "--latents", "8", "--k",
                    "2",
                    "--steps", "1",
                ], 64
            ),
            (["activations", "--model", model, "--text", "t.txt", "--layers", "all", "--output", "text.sqlite"], 73),
            (
                ["activations", "--model", model, "--text", "t.txt", "--layers", "0-16", "--output", "n.safetensors"],
                64
            ),
            (
                [
                    "train", "nowhere/n.sqlite", "--model", model, "--text", "t.txt", "--latents", "8", "--k", "2",
                    "--steps", "1",
                ],
                73
            ),
        ] as [([String], Int32)])
    func badInputGetsOneLineAndTheDocumentedStatus(arguments: [String], status: Int32) throws {
        let directory = try TemporaryDirectory()
        try "no database".write(toFile: directory.file("text.sqlite"), atomically: true, encoding: .utf8)
        try "Some text.".write(toFile: directory.file("t.txt"), atomically: true, encoding: .utf8)
        try " \n".write(toFile: directory.file("blank.txt"), atomically: true, encoding: .utf8)
        let outcome = try Program.run(arguments, in: directory)
        #expect(outcome.status == status, "\(outcome.errors)")
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
        // Nothing half-written, nothing lost.
        #expect(try String(contentsOfFile: directory.file("text.sqlite"), encoding: .utf8) == "no database")
        let left = try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
        #expect(left == ["blank.txt", "stderr.log", "stdout.log", "t.txt", "text.sqlite"])
    }

    @Test(
        "A catalog of version 1 is migrated on request",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/zstd"), "no zstd program here"))
    func aCatalogOfVersionOneIsMigratedWhenAsked() throws {
        let directory = try TemporaryDirectory()
        let unpack = Process()
        unpack.executableURL = URL(filePath: "/usr/bin/zstd")
        unpack.arguments = ["-q", "-d", fixture("catalogs/version-1.sqlite.zst"), "-o", directory.file("c.sqlite")]
        try unpack.run()
        unpack.waitUntilExit()
        try #require(unpack.terminationStatus == 0)
        let old = try Program.run(["features", "c.sqlite"], in: directory)
        #expect(old.status == 65 && old.errors.contains("migrate"))
        let migration = try Program.run(["migrate", "c.sqlite"], in: directory)
        #expect(migration.status == 0, "\(migration.errors)")
        #expect(try Program.run(["verify", "c.sqlite"], in: directory).status == 0)
        let features = try Program.run(["features", "c.sqlite", "--limit", "0", "--format", "csv"], in: directory)
        #expect(features.output.split(whereSeparator: \.isNewline).count == 25)
        // Nothing more to do, and nothing is done.
        let before = try Data(contentsOf: URL(filePath: directory.file("c.sqlite")))
        #expect(try Program.run(["migrate", "c.sqlite"], in: directory).status == 0)
        #expect(try Data(contentsOf: URL(filePath: directory.file("c.sqlite"))) == before)
    }

    @Test func everyVerbHasHelpWithExamples() throws {
        let directory = try TemporaryDirectory()
        for verb in [
            "demo", "train", "sweep", "index", "score", "activations", "features", "feature", "prompt", "layers",
            "count",
            "compare", "search", "sql", "runs", "serve", "plot", "verify", "migrate", "merge", "pack", "reproduce",
        ] {
            let help = try Program.run([verb, "--help"], in: directory)
            #expect(help.status == 0)
            #expect(help.output.contains("Example"), "\(verb)")
            #expect(help.output.contains("routesae \(verb)"), "\(verb)")
        }
        #expect(try Program.run(["--version"], in: directory).output == "0.1.0\n")
    }

    @Test func aBenchmarkPrintsItsContract() throws {
        let directory = try TemporaryDirectory()
        let outcome = try Program.run(
            [
                "benchmark", "train", "--d-model", "64", "--latents", "256", "--k", "8", "--layers", "3", "--tokens",
                "512",
                "--repeats", "1", "--format", "json",
            ], in: directory)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Double])
        let step = try #require(object["step_seconds"])
        let gemm = try #require(object["encode_gemm_seconds"])
        #expect(abs((object["ratio"] ?? 0) - step / gemm) < 1e-6)
        #expect(abs((object["tokens_per_second"] ?? 0) - 512 / step) < 1e-3)
    }
}
