import Foundation
import TestSupport
import Testing

/// Charts written by the program.
@Suite(.serialized) struct PlotCommandTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try MadeOnce.catalog("plotted by the program", at: directory.file("c.sqlite")) { path in
            for arguments in [
                [
                    "train", path, "--model", CommandTests.model, "--text", CommandTests.heldout, "--latents", "64",
                    "--k", "4", "--name", "one", "--shuffle-buffer", "2048", "--batch-tokens", "512", "--steps", "8",
                    "--context", "128", "--quiet",
                ],
                [
                    "index", path, "--model", CommandTests.model, "--text", CommandTests.heldout, "--tokens", "3000",
                    "--context", "128", "--quiet",
                ],
            ] {
                let outcome = try Program.run(arguments, in: directory)
                #expect(outcome.status == 0, "\(outcome.errors)")
            }
        }
    }

    private func plot(_ kind: String, _ arguments: [String]) throws -> Program.Outcome {
        try Program.run(["plot", "c.sqlite", "--kind", kind] + arguments, in: directory)
    }

    @Test(arguments: ["loss", "histogram", "layers", "routing", "map", "logits"])
    func aKindIsWrittenToAFileAndToStandardOutput(kind: String) throws {
        let feature = ["histogram", "layers", "logits"].contains(kind) ? ["--feature", "\(try strongest())"] : []
        let written = try plot(kind, feature + ["--output", "a.svg"])
        #expect(written.status == 0 && written.output.isEmpty, "\(written.errors)")
        #expect(written.errors == "a.svg: \(kind)\n")
        let svg = try String(contentsOfFile: directory.file("a.svg"), encoding: .utf8)
        #expect(svg.hasPrefix("<svg xmlns=") && svg.hasSuffix("</svg>\n") && svg.contains("one"))
        let printed = try plot(kind, feature + ["--output", "-", "--threads", "1"])
        #expect(printed.status == 0 && printed.errors.isEmpty && printed.output == svg)
    }

    private func strongest() throws -> Int {
        let features = try Program.run(
            ["features", "c.sqlite", "--sort", "n_fired", "--limit", "1", "--format", "json"], in: directory)
        let rows = try JSONSerialization.jsonObject(with: Data(features.output.utf8)) as? [[String: Any]]
        return try #require(rows?.first?["feature_index"] as? Int)
    }

    @Test func anExistingFileIsKeptUnlessForced() throws {
        try "mine".write(toFile: directory.file("a.svg"), atomically: true, encoding: .utf8)
        let refused = try plot("routing", ["--output", "a.svg"])
        #expect(refused.status == 73 && refused.errors.contains("--force"), "\(refused.errors)")
        #expect(try String(contentsOfFile: directory.file("a.svg"), encoding: .utf8) == "mine")
        #expect(try plot("routing", ["--output", "a.svg", "--force", "--quiet"]).errors.isEmpty)
        #expect(try String(contentsOfFile: directory.file("a.svg"), encoding: .utf8).hasPrefix("<svg"))
        // Not even then the catalog itself.
        let own = try plot("routing", ["--output", "c.sqlite", "--force"])
        #expect(own.status == 77, "\(own.errors)")
        #expect(try plot("routing", ["--output", "none/a.svg"]).status == 73)
    }

    @Test(
        "What cannot be drawn is one line and leaves no file",
        arguments: [
            ("nonsense", [], 64, "- pareto   - scores   - map   - logits"),
            ("histogram", [], 64, "--feature"), ("map", ["--feature", "1"], 64, "--feature"),
            ("scores", ["--run", "1"], 64, "--run"), ("layers", ["--feature", "64"], 64, "0 … 63"),
            ("pareto", [], 77, "routesae evaluate"), ("scores", [], 77, "routesae score"),
            ("loss", ["--run", "2"], 77, "routesae train"), ("loss", ["--run", "9"], 66, "9"),
            ("routing", ["--dictionary", "two"], 66, "two"),
        ] as [(String, [String], Int32, String)])
    func whatCannotBeDrawnIsOneLine(kind: String, arguments: [String], status: Int32, words: String) throws {
        let outcome = try plot(kind, arguments + ["--output", "a.svg"])
        #expect(outcome.status == status, "\(outcome.errors)")
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
        #expect(outcome.output.isEmpty && outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
        #expect(!FileManager.default.fileExists(atPath: directory.file("a.svg")))
    }
}
