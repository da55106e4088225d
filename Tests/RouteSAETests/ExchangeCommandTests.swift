import Foundation
import Glibc
import TestSupport
import Testing

/// `import`, `export` and `encode` as a person runs them: output, exit status, and what is left on the disk.
@Suite(.serialized) struct ExchangeCommandTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func run(_ arguments: String...) throws -> Program.Outcome {
        try Program.run(arguments, in: directory)
    }

    private func train(_ name: String, _ options: [String]) throws {
        let outcome = try Program.run(
            [
                "train", name, "--model", CommandTests.model, "--text", CommandTests.heldout, "--latents", "64",
                "--shuffle-buffer", "2048", "--batch-tokens", "256", "--steps", "3", "--context", "64", "-q",
            ] + options, in: directory)
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    private var files: [String] {
        get throws {
            // What the program said is kept beside them.
            try FileManager.default.contentsOfDirectory(atPath: directory.path).filter { !$0.hasSuffix(".log") }
                .sorted()
        }
    }

    @Test func aDictionaryGoesOutComesInAndEncodes() throws {
        try train("a.sqlite", ["--architecture", "topk", "--layers", "3", "--k", "4", "--name", "mine"])
        let exported = try run("export", "a.sqlite", "sae", "--to", "saelens")
        #expect(exported.status == 0 && exported.output.isEmpty && exported.errors.contains("\"mine\""))
        let imported = try run("import", "b.sqlite", "sae", "--name", "theirs", "--model", CommandTests.model)
        #expect(imported.status == 0 && imported.output.isEmpty)
        #expect(imported.errors.contains("dictionary 1 \"theirs\": topk of 64 latents, width 256, layer 3, k 4"))
        #expect(try run("verify", "b.sqlite").status == 0)
        let reproduced = try run("reproduce", "b.sqlite", "1")
        #expect(reproduced.status == 0, "\(reproduced.errors)")
        let activations = try run(
            "activations", "--model", CommandTests.model, "--text", CommandTests.heldout, "--layers", "3", "--tokens",
            "200", "--output", "x.safetensors")
        #expect(activations.status == 0)
        // The folder has moved.
        try FileManager.default.moveItem(atPath: directory.file("sae"), toPath: directory.file("moved"))
        #expect(try run("reproduce", "b.sqlite", "1").status == 66)
        let moved = try run("reproduce", "b.sqlite", "1", "--path", "moved")
        #expect(moved.status == 0, "\(moved.errors)")
        for options in [[], ["--dense"]] {
            let encoded = try Program.run(
                [
                    "encode", "b.sqlite", "--dictionary", "theirs", "--activations", "x.safetensors", "--output",
                    "z.safetensors", "--force",
                ] + options, in: directory)
            #expect(encoded.status == 0 && encoded.output.isEmpty, "\(encoded.errors)")
        }
        #expect(try files == ["a.sqlite", "b.sqlite", "moved", "x.safetensors", "z.safetensors"])
    }

    @Test func anImportThatFailsLeavesNoCatalogAndOneLine() throws {
        try train("a.sqlite", ["--architecture", "topk", "--layers", "3", "--k", "4", "--name", "mine"])
        #expect(try run("export", "a.sqlite", "sae", "--to", "saelens").status == 0)
        let weights = directory.file("sae/sae_weights.safetensors")
        var bytes = try Data(contentsOf: URL(filePath: weights))
        bytes.replaceSubrange(bytes.count - 4..<bytes.count, with: [0, 0, 0xC0, 0x7F])
        try bytes.write(to: URL(filePath: weights))
        for catalog in ["new.sqlite", "a.sqlite"] {
            let outcome = try run("import", catalog, "sae", "--name", "theirs")
            #expect(outcome.status == 65 && outcome.output.isEmpty, "\(outcome.errors)")
            let lines = outcome.errors.split(separator: "\n")
            #expect(lines.count == 1 && lines[0].contains("sae_weights.safetensors"), "\(outcome.errors)")
        }
        #expect(try files == ["a.sqlite", "sae"])
        let dictionaries = try run("sql", "a.sqlite", "SELECT name FROM dictionary", "--format", "jsonl")
        #expect(dictionaries.output == "{\"name\":\"mine\"}\n")
    }

    @Test func aPipeIsNotReplaced() throws {
        try train("a.sqlite", ["--architecture", "topk", "--layers", "3", "--k", "4"])
        #expect(mkfifo(directory.file("pipe"), 0o600) == 0)
        let activations = try run(
            "activations", "--model", CommandTests.model, "--text", CommandTests.heldout, "--layers", "3", "--tokens",
            "20", "--output", "x.safetensors")
        #expect(activations.status == 0)
        let outcome = try run("encode", "a.sqlite", "--activations", "x.safetensors", "--output", "pipe", "--force")
        #expect(outcome.status == 73 && outcome.errors.contains("device or a pipe"), "\(outcome.errors)")
        #expect(try files == ["a.sqlite", "pipe", "x.safetensors"])
    }

    @Test func whatIsWrongHasAStatusAndOneLine() throws {
        try train("a.sqlite", ["--architecture", "crosscoder", "--layers", "3,4", "--k", "4"])
        try FileManager.default.createDirectory(atPath: directory.file("empty"), withIntermediateDirectories: false)
        let cases: [(arguments: [String], status: Int32, text: String)] = [
            (["import", "new.sqlite", "nowhere"], 66, "nowhere"),
            (["import", "new.sqlite", "empty"], 65, "empty"),
            (["import", "new.sqlite", "empty", "--from", "saelens"], 65, "cfg.json"),
            (["import", "new.sqlite", "empty", "--from", "else"], 64, "saelens"),
            (["export", "a.sqlite", "out", "--to", "saelens"], 77, "crosscoder"),
            (["export", "a.sqlite", "empty", "--to", "saelens"], 73, "exists already"),
            (["export", "a.sqlite", "out", "--to", "else"], 64, "sparsify"),
            (["export", "a.sqlite", "out", "--to", "saelens", "--dictionary", "x"], 66, "\"x\""),
            (["encode", "a.sqlite", "--activations", "none", "--output", "z"], 66, "none"),
            (["encode", "a.sqlite", "--activations", "a.sqlite", "--output", "z"], 65, "a.sqlite"),
        ]
        for (arguments, status, text) in cases {
            let outcome = try Program.run(arguments, in: directory)
            #expect(outcome.status == status, "\(arguments): \(outcome.errors)")
            let lines = outcome.errors.split(separator: "\n")
            #expect(lines.count == 1 && lines[0].contains(text), "\(arguments): \(outcome.errors)")
            #expect(outcome.output.isEmpty)
        }
        #expect(try files == ["a.sqlite", "empty"])
    }
}
