import Foundation
import TestSupport
import Testing

/// Prompts and pages through the program.
@Suite(.serialized) struct PromptCommandTests {
    private static let model = repositoryFile("Demo/model")
    private static let text = "And the king said unto him, \"Go\"."
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try MadeOnce.catalog("prompted by the program", at: directory.file("c.sqlite")) { path in
            let text = repositoryFile("Demo/text/heldout/bible.jsonl")
            for arguments in [
                [
                    "train", path, "--model", Self.model, "--text", text, "--latents", "128", "--k", "8", "--name",
                    "one", "--shuffle-buffer", "2048", "--batch-tokens", "512", "--steps", "12", "--context", "128",
                    "--quiet",
                ],
                [
                    "train", path, "--model", Self.model, "--text", text, "--latents", "64", "--k", "4", "--name",
                    "two",
                    "--shuffle-buffer", "2048", "--batch-tokens", "512", "--steps", "2", "--context", "128", "--append",
                    "--quiet",
                ],
                [
                    "index", path, "--dictionary", "one", "--model", Self.model, "--text", text, "--tokens", "3000",
                    "--context", "128", "--quiet",
                ],
            ] {
                let outcome = try Program.run(arguments, in: directory)
                #expect(outcome.status == 0, "\(outcome.errors)")
            }
        }
    }

    private func rows(_ arguments: [String]) throws -> [[String: Any]] {
        let outcome = try Program.run(arguments + ["--format", "json"], in: directory)
        #expect(outcome.status == 0, "\(arguments): \(outcome.errors)")
        return try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]])
    }

    private func prompt(_ arguments: [String]) throws -> [[String: Any]] {
        try rows(["prompt", "c.sqlite", "--model", Self.model, "--text", Self.text] + arguments)
    }

    /// The rows are those of `features --fires-on --by-token`, with ranks.
    @Test func everyTokenHasItsStrongestFeatures() throws {
        let found = try prompt(["--dictionary", "one", "--top", "3"])
        let expected = try rows([
            "features", "c.sqlite", "--dictionary", "one", "--fires-on", Self.text, "--model", Self.model, "--by-token",
            "--limit", "3",
        ])
        #expect(found.count == expected.count && found.count > 20)
        for (row, other) in zip(found, expected) {
            for name in ["position", "token", "layer", "feature_index", "activation", "router_weight"] {
                #expect(row[name] as? NSObject == other[name] as? NSObject, "\(name)")
            }
            #expect(Set(row.keys) == Set(other.keys).union(["rank", "explanation"]))
        }
        #expect(found.prefix(3).map { $0["rank"] as? Int } == [0, 1, 2])
        var text = ""
        for row in found where row["rank"] as? Int == 0 { text += row["token"] as? String ?? "" }
        #expect(text == Self.text)
    }

    @Test func onlyChosenFeaturesKeepTheirRank() throws {
        let all = try prompt(["--dictionary", "one", "--top", "0"])
        let feature = try #require(all[5]["feature_index"] as? Int)
        let chosen = try prompt(["--dictionary", "one", "--features", "\(feature), 127"])
        let expected = all.filter { [feature, 127].contains($0["feature_index"] as? Int ?? -1) }
        #expect(chosen.count == expected.count && !chosen.isEmpty)
        #expect(chosen.map { $0["rank"] as? Int } == expected.map { $0["rank"] as? Int })
    }

    @Test func severalDictionariesStandSideBySide() throws {
        let both = try prompt(["--dictionary", "one", "--dictionary", "two", "--top", "1"])
        #expect(Set(both.map { $0["dictionary"] as? String }) == ["one", "two"])
        let one = try prompt(["--dictionary", "one", "--top", "1"])
        #expect(both.count == 2 * one.count)
        #expect(both.prefix(one.count).map { $0["feature_index"] as? Int } == one.map { $0["feature_index"] as? Int })
        // Without an index nothing is known of a feature.
        #expect(both.last?["explanation"] is NSNull)
    }

    @Test func allFormatsHaveTheSameRows() throws {
        let arguments = [
            "prompt", "c.sqlite", "--dictionary", "one", "--model", Self.model, "--text", " king", "--top", "2",
        ]
        for format in ["csv", "tsv", "jsonl"] {
            let outcome = try Program.run(arguments + ["--format", format], in: directory)
            let lines = outcome.output.split(whereSeparator: \.isNewline)
            #expect(lines.count == (format == "jsonl" ? 2 : 3), "\(outcome.output)\(outcome.errors)")
        }
        let table = try Program.run(arguments, in: directory)
        #expect(table.output.hasPrefix("position  token  layer  router_weight  rank  feature_index  activation"))
        let input = try Program.run(
            ["prompt", "c.sqlite", "--dictionary", "one", "--model", Self.model, "--text", "-", "--top", "2"],
            in: directory, input: " king")
        #expect(input.output == table.output)
    }

    @Test(
        "Wrong options are one line",
        arguments: [
            (["--features", "1,x"], 64, "--features"), (["--features", "9999"], 64, "0 … 63"),
            (["--top", "-1"], 64, "--top"), (["--system", "x"], 64, "--chat"), (["--chat"], 64, "chat template"),
            (["--dictionary", "three"], 66, "three"), (["--text", ""], 64, "no tokens"),
        ] as [([String], Int32, String)])
    func wrongOptionsAreOneLine(arguments: [String], status: Int32, words: String) throws {
        let outcome = try Program.run(
            ["prompt", "c.sqlite", "--model", Self.model, "--text", "king"] + arguments, in: directory)
        #expect(outcome.status == status, "\(outcome.errors)")
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1)
        #expect(outcome.output.isEmpty)
    }

    @Test func theServerSaysWhereItListens() throws {
        let process = Process()
        process.executableURL = Program.url
        process.arguments = ["serve", directory.file("c.sqlite")]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        defer {
            if process.isRunning { process.terminate() }
        }
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        #expect(line.wholeMatch(of: /Listening on http:\/\/127\.0\.0\.1:\d+\/\n/) != nil, "\(line)")
        let address = line.dropFirst("Listening on ".count).dropLast()
        let page = try String(contentsOf: try #require(URL(string: String(address))), encoding: .utf8)
        #expect(page.contains("c.sqlite"))
        process.interrupt()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let wrong = try Program.run(["serve", "c.sqlite", "--host", "example.org"], in: directory)
        #expect(wrong.status == 64 && wrong.errors.contains("--host"))
        #expect(try Program.run(["serve", "none.sqlite"], in: directory).status == 66)
    }
}
