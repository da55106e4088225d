import Foundation
import TestSupport
import Testing

/// `evaluate --measures` and `compare --by-configuration`.
@Suite(.serialized) struct MeasureCommandTests {
    private static let model = repositoryFile("Demo/model")
    private static let text = repositoryFile("Demo/text/heldout/jargon.jsonl")

    private func train(_ name: String, _ options: [String], in directory: TemporaryDirectory) throws {
        let isFirst = !FileManager.default.fileExists(atPath: directory.file("c.sqlite"))
        let outcome = try Program.run(
            [
                "train", "c.sqlite", "--model", Self.model, "--text", Self.text, "--latents", "64", "--k", "4",
                "--shuffle-buffer", "2048", "--batch-tokens", "256", "--tokens", "1024", "--context", "128", "--name",
                name, "--quiet",
            ] + options + (isFirst ? [] : ["--append"]), in: directory)
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    private func evaluate(_ options: [String], in directory: TemporaryDirectory) throws -> Program.Outcome {
        try Program.run(
            [
                "evaluate", "c.sqlite", "--model", Self.model, "--text", Self.text, "--tokens", "1500", "--context",
                "128",
                "--resamples", "20", "--quiet",
            ] + options, in: directory)
    }

    private func rows(_ outcome: Program.Outcome) throws -> [[String: Any]] {
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try #require(JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]])
    }

    @Test func theMissingDictionariesAreMadeAsTheMessageSays() throws {
        let directory = try TemporaryDirectory()
        try train("route", ["--layers", "1-3", "--seed", "1"], in: directory)
        try train("early", ["--architecture", "topk", "--layers", "1", "--seed", "2"], in: directory)
        let refused = try evaluate(["--measures", "census", "--dictionary", "route"], in: directory)
        #expect(refused.status == 65)
        #expect(refused.errors.split(separator: "\n").count == 1)
        let line = refused.errors
        #expect(line.contains("layers 2, 3"))
        for layer in ["2", "3"] {
            // The command of the message, for one layer at a time.
            let command = try #require(line.split(separator: ";").dropFirst().first { $0.contains("routesae train") })
            let words = command.split(whereSeparator: \.isWhitespace).drop { $0 != "train" }.map {
                $0 == "$layer" ? layer : String($0)
            }
            let made = try Program.run(words + ["--quiet"], in: directory)
            #expect(made.status == 0, "\(words): \(made.errors)")
        }
        let outcome = try evaluate(
            ["--measures", "census", "coherence", "--all-dictionaries", "--format", "json"], in: directory)
        let found = try rows(outcome)
        // The single-layer dictionaries have one seed.
        #expect(outcome.errors.contains("start from the same weights"))
        #expect(Set(found.compactMap { $0["dictionary"] as? String }).count == 4)
        let route = found.filter { $0["dictionary"] as? String == "route" }
        #expect(route.filter { $0["metric"] as? String == "census" }.count == 4)
        #expect(route.contains { $0["metric"] as? String == "coherence" })

        // Of well-explained features there has to be a score first.
        let explained = ["--measures", "census", "--dictionary", "route", "--min-score", "0.01", "--format", "json"]
        let unscored = try evaluate(explained, in: directory)
        #expect(unscored.status == 65 && unscored.errors.split(separator: "\n").count == 1, "\(unscored.errors)")
        #expect(unscored.errors.contains("for d in 2 3 4; do"))
        for dictionary in ["2", "3", "4"] {
            let shared = ["c.sqlite", "--dictionary", dictionary, "--model", Self.model, "--quiet"]
            #expect(
                try Program.run(["index"] + shared + ["--text", Self.text, "--tokens", "2000"], in: directory).status
                    == 0)
            #expect(try Program.run(["score"] + shared + ["--sample", "12"], in: directory).status == 0)
        }
        let counted = try rows(try evaluate(explained, in: directory))
        #expect(counted.filter { $0["metric"] as? String == "census_explained" }.count == 4)
        #expect(!counted.contains { $0["metric"] as? String == "census" })

        let compared = try rows(
            try Program.run(
                ["compare", "c.sqlite", "--by-configuration", "--metric", "census", "--format", "json"], in: directory))
        #expect(compared.compactMap { $0["dictionary"] as? String } == ["route"])
        #expect(compared.compactMap { $0["metric"] as? String } == ["census"])
    }

    @Test func aLabelWithOneClassIsBadInput() throws {
        let directory = try TemporaryDirectory()
        try train("route", ["--layers", "1-3"], in: directory)
        let outcome = try evaluate(["--measures", "probing", "--labels", "source"], in: directory)
        #expect(outcome.status == 65)
        #expect(outcome.errors.split(separator: "\n").count == 1)
        #expect(outcome.errors.contains("jargon") && outcome.errors.contains("--labels"))
        let unknown = try Program.run(["compare", "c.sqlite", "--by-configuration", "--metric", "kl"], in: directory)
        #expect(unknown.status == 65 && unknown.errors.contains("kl"))
    }

    @Test(
        "Invalid options are usage errors",
        arguments: [
            ["evaluate", "c.sqlite", "--model", "m", "--union", "a"],
            ["evaluate", "c.sqlite", "--model", "m", "--min-score", "0.7"],
            ["evaluate", "c.sqlite", "--model", "m", "--measures", "census", "--min-score", "nan"],
            ["evaluate", "c.sqlite", "--model", "m", "--labels", "source"],
            ["evaluate", "c.sqlite", "--model", "m", "--layers", "3-5"],
            ["evaluate", "c.sqlite", "--model", "m", "--measures", "everything"],
            ["compare", "c.sqlite", "--metric", "kl"], ["compare", "c.sqlite", "--by-layer"],
            ["compare", "c.sqlite", "--by-configuration", "--features", "--dictionary", "a", "--with", "b"],
        ]) func whatMakesNoSenseIsUsage(arguments: [String]) throws
    {
        let directory = try TemporaryDirectory()
        let outcome = try Program.run(arguments, in: directory)
        #expect(outcome.status == 64, "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    }
}
