import Foundation
import TestSupport
import Testing

/// The model's name in a catalog.
@Suite(.serialized) struct ModelNameTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// The demo model in a folder of another name, whose config says something more.
    private func makeModel(in folder: String, _ keys: [String: String]) throws {
        let files = FileManager.default
        try files.createDirectory(atPath: directory.file(folder), withIntermediateDirectories: true)
        for name in try files.contentsOfDirectory(atPath: CommandTests.model) where name != "config.json" {
            try files.createSymbolicLink(
                atPath: directory.file("\(folder)/\(name)"), withDestinationPath: "\(CommandTests.model)/\(name)")
        }

        let config = try Data(contentsOf: URL(filePath: "\(CommandTests.model)/config.json"))
        var object = try #require(try JSONSerialization.jsonObject(with: config) as? [String: Any])
        for (key, value) in keys { object[key] = value }
        try JSONSerialization.data(withJSONObject: object).write(
            to: URL(filePath: directory.file("\(folder)/config.json")))
    }

    private func train(_ model: String, _ options: [String] = []) throws -> String {
        let outcome = try Program.run(
            [
                "train", "c.sqlite", "--model", model, "--text", CommandTests.heldout, "--latents", "16", "--k", "2",
                "--shuffle-buffer", "2048", "--batch-tokens", "64", "--steps", "1", "--context", "32", "--layers", "0",
                "-q",
            ] + options, in: directory)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try models()
    }

    private func models() throws -> String {
        try Program.run(
            ["sql", "c.sqlite", "SELECT name, revision FROM language_model ORDER BY 1", "--format", "tsv"],
            in: directory
        ).output.split(whereSeparator: \.isNewline).dropFirst().joined(separator: "; ")
    }

    private static let revision = String(repeating: "0123456789", count: 4)

    @Test(
        "The model is named after its folder",
        arguments: [
            (["_name_or_path": "org/Tiny-1.0", "_commit_hash": revision], "org/Tiny-1.0\t\(revision)"),
            (["_name_or_path": "gpt2"], "gpt2\t"), (["_name_or_path": "/home/ada/tiny"], "folder\t"),
            (["_name_or_path": "../tiny"], "folder\t"), (["_name_or_path": "a/b/c"], "folder\t"),
            (["_name_or_path": ""], "folder\t"), (["_name_or_path": "org/a\u{1B}[2J"], "folder\t"),
            (["_commit_hash": "main"], "folder\t"),
        ])
    func theFolderSays(keys: [String: String], expected: String) throws {
        try makeModel(in: "folder", keys)
        #expect(try train("folder") == expected)
    }

    @Test("A model in the Hub's cache is named by its repository") func aCacheOfTheHubSays() throws {
        let folder = "models--org--tiny/snapshots/\(Self.revision)"
        try makeModel(in: folder, [:])
        #expect(try train(folder) == "org/tiny\t\(Self.revision)")
    }

    @Test("`--model-name` overrides the model's name") func whoTrainsOrIndexesSays() throws {
        try makeModel(in: "folder", ["_name_or_path": "org/tiny"])
        #expect(try train("folder", ["--model-name", "other/name"]) == "other/name\t")
        // The same weights are the same model, and may be given another name.
        func index(_ corpus: String, _ options: [String]) throws {
            let outcome = try Program.run(
                [
                    "index", "c.sqlite", "--model", "folder", "--text", CommandTests.heldout, "--tokens", "300",
                    "--context", "32", "--corpus", corpus, "-q",
                ] + options, in: directory)
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
        try index("one", [])
        #expect(try models() == "other/name\t")
        try index("two", ["--model-name", "third"])
        #expect(try models() == "third\t")
        #expect(try Program.run(["verify", "c.sqlite"], in: directory).status == 0)
    }
}
