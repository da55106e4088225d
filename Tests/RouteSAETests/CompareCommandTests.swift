import Foundation
import TestSupport
import Testing

/// Similar features, features that fire on a text, comparisons of dictionaries and catalogs.
@Suite(.serialized) struct CompareCommandTests {
    private static let model = repositoryFile("Demo/model")
    private static let text = repositoryFile("Demo/text/heldout/bible.jsonl")

    private func run(_ arguments: [String], in directory: TemporaryDirectory) throws -> Program.Outcome {
        try Program.run(arguments, in: directory)
    }

    private func make(_ catalog: String, _ names: [String], in directory: TemporaryDirectory) throws {
        for (number, name) in names.enumerated() {
            let train = try run(
                [
                    "train", catalog, "--model", Self.model, "--text", Self.text, "--latents", "128", "--k", "8",
                    "--shuffle-buffer", "2048", "--batch-tokens", "512", "--steps", "6", "--context", "128", "--layers",
                    "1-3", "--seed",
                    "\(number + 1)", "--name",
                    name, "--quiet",
                ] + (number == 0 ? [] : ["--append"]), in: directory)
            #expect(train.status == 0, "\(train.errors)")
            let index = try run(
                [
                    "index", catalog, "--model", Self.model, "--text", Self.text, "--tokens", "3000", "--context",
                    "128", "--quiet",
                ], in: directory)
            #expect(index.status == 0, "\(index.errors)")
        }
    }

    private func rows(_ arguments: [String], in directory: TemporaryDirectory) throws -> [[String: Any]] {
        let outcome = try run(arguments + ["--format", "json"], in: directory)
        #expect(outcome.status == 0, "\(arguments): \(outcome.errors)")
        return try #require(
            try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]])
    }

    @Test func featuresLikeAnother() throws {
        let directory = try TemporaryDirectory()
        try make("c.sqlite", ["d"], in: directory)
        let listed = try rows(["features", "c.sqlite", "--similar", "5", "--limit", "10"], in: directory)
        #expect(listed.count == 10)
        #expect(Set(listed[0].keys).isSuperset(of: ["feature_index", "cosine", "top_token", "firing_rate"]))
        // More than the catalog lists are computed, and begin with the same.
        let all = try rows(["features", "c.sqlite", "--similar", "5", "--limit", "0"], in: directory)
        #expect(all.count == 127)
        let numbers = all.compactMap { $0["feature_index"] as? Int }
        #expect(Array(numbers.prefix(10)) == listed.compactMap { $0["feature_index"] as? Int })
        #expect(Set(numbers).union([5]) == Set(0..<128))
        let cosines = all.compactMap { $0["cosine"] as? Double }
        #expect(cosines == cosines.sorted(by: >))
        // Conditions hold for what is listed, not for what it is chosen from.
        let some = try rows(
            ["features", "c.sqlite", "--similar", "5", "--where", "feature_index > 99", "--columns", "n_fired"],
            in: directory)
        #expect(some.compactMap { $0["feature_index"] as? Int } == Array(numbers.filter { $0 > 99 }.prefix(20)))
        #expect(some.allSatisfy { Set($0.keys) == ["feature_index", "cosine", "n_fired"] })
    }

    @Test func featuresThatFireOnAText() throws {
        let directory = try TemporaryDirectory()
        try make("c.sqlite", ["d"], in: directory)
        let verb = ["features", "c.sqlite", "--fires-on", "- And Adam begat sons", "--model", Self.model]
        let tokens = try rows(verb + ["--by-token"], in: directory)
        let features = try rows(verb + ["--limit", "0"], in: directory)
        let texts = Dictionary(
            tokens.map { ($0["position"] as? Int ?? -1, $0["token"] as? String ?? "") }, uniquingKeysWith: { a, _ in a }
        )
        #expect(texts.sorted { $0.key < $1.key }.map(\.value).joined() == "- And Adam begat sons")
        #expect(tokens.count <= 8 * texts.count && tokens.count > texts.count)
        let byFeature = Dictionary(grouping: tokens) { $0["feature_index"] as? Int ?? -1 }
        #expect(Set(features.compactMap { $0["feature_index"] as? Int }) == Set(byFeature.keys))
        let largest = try rows(
            ["features", "c.sqlite", "--columns", "feature_index,max_activation", "--limit", "0"], in: directory)
        let maxima = Dictionary(
            largest.map { ($0["feature_index"] as? Int ?? -1, $0["max_activation"] as? Double) },
            uniquingKeysWith: { a, _ in a })
        for feature in features {
            let number = try #require(feature["feature_index"] as? Int)
            let own = (byFeature[number] ?? []).compactMap { $0["activation"] as? Double }
            #expect(feature["activation"] as? Double == own.max())
            #expect(feature["n_tokens"] as? Int == own.count)
            if let share = feature["share"] as? Double, let most = maxima[number] ?? nil {
                #expect(abs(share - (own.max() ?? 0) / most) < 1e-9)
            }
        }

        let shares = features.compactMap { $0["share"] as? Double }
        #expect(shares.count > 10 && shares == shares.sorted(by: >))
        let strongest = try rows(verb + ["--sort", "activation", "--limit", "4"], in: directory)
        #expect(
            strongest.compactMap { $0["activation"] as? Double }
                == Array(features.compactMap { $0["activation"] as? Double }.sorted(by: >).prefix(4)))
        #expect(try rows(verb + ["--by-token", "--limit", "2"], in: directory).count == 2 * texts.count)
        let late = try rows(verb + ["--where", "feature_index > 63", "--limit", "0"], in: directory)
        #expect(late.count == features.filter { ($0["feature_index"] as? Int ?? 0) > 63 }.count)
        for format in ["table", "json", "jsonl", "csv", "tsv", "markdown"] {
            for more in [[], ["--by-token"]] {
                let outcome = try run(verb + more + ["--format", format], in: directory)
                #expect(outcome.status == 0 && outcome.output.contains("sons"), "\(format): \(outcome.errors)")
            }
        }
    }

    @Test func dictionariesSideBySide() throws {
        let directory = try TemporaryDirectory()
        try make("c.sqlite", ["first", "second"], in: directory)
        let all = try rows(["compare", "c.sqlite"], in: directory)
        #expect(all.compactMap { $0["dictionary"] as? String } == ["first", "second"])
        for row in all {
            #expect(row["n_latents"] as? Int == 128)
            let alive = try #require(row["n_alive"] as? Int)
            #expect(alive + (row["n_dead"] as? Int ?? -1) == 128)
            #expect((0.01...0.99).contains(row["explained_variance"] as? Double ?? 0))
            #expect(row["mean_simulation_score"] is NSNull)
        }

        let counted = try rows(["compare", "c.sqlite", "--threshold", "1", "2"], in: directory)
        #expect(counted.compactMap { $0["threshold"] as? Double } == [1, 2, 1, 2])
        let count = try rows(["count", "c.sqlite", "--dictionary", "first", "--threshold", "1"], in: directory)
        #expect(counted[0]["with_class_rule"] as? Int == count[0]["with_class_rule"] as? Int)
        #expect(counted[0]["without_class_rule"] as? Int == count[0]["without_class_rule"] as? Int)

        let verb = ["compare", "c.sqlite", "--features", "--dictionary", "first", "--with"]
        let same = try run(verb + ["first", "--limit", "0", "--format", "csv"], in: directory)
        let lines = same.output.split(whereSeparator: \.isNewline).dropFirst().map { $0.split(separator: ",") }
        #expect(lines.count == 128)
        #expect(lines.allSatisfy { $0[0] == $0[1] && abs((Double($0[2]) ?? 0) - 1) < 1e-5 && $0[3] == "1" })
        let other = try run(verb + ["second", "--format", "json"], in: directory)
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(other.output.utf8)) as? [String: Any])
        #expect((object["summary"] as? [[String: Any]])?.count == 2)
        #expect((object["features"] as? [Any])?.count == 20)
        let page = try run(verb + ["second"], in: directory)
        #expect(page.output.contains("mean_max_cosine") && page.output.contains("each other's best match"))
    }

    @Test func catalogsCompared() throws {
        let directory = try TemporaryDirectory()
        try make("a.sqlite", ["first"], in: directory)
        try make("b.sqlite", ["first", "second"], in: directory)
        try FileManager.default.copyItem(atPath: directory.file("a.sqlite"), toPath: directory.file("copy.sqlite"))
        for other in ["a.sqlite", "copy.sqlite"] {
            let outcome = try run(["diff", "a.sqlite", other], in: directory)
            #expect(outcome.status == 0 && outcome.output.contains("are equal"), "\(outcome.output)\(outcome.errors)")
        }
        // The first dictionary was made anew and came out the same: only what concerns the second is left.
        let outcome = try run(["diff", "a.sqlite", "b.sqlite", "--format", "json"], in: directory)
        #expect(outcome.status == 1, "\(outcome.errors)")
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
        #expect(object["equal"] as? Bool == false)
        let rows = try #require(object["rows"] as? [[String: Any]])
        let only = rows.filter { $0["section"] as? String != "table" }
        #expect(only.allSatisfy { $0["name"] as? String == "only in b" })
        #expect(only.compactMap { $0["section"] as? String } == ["run", "run", "dictionary", "index"])
        for format in ["table", "jsonl", "csv", "tsv", "markdown"] {
            let outcome = try run(["diff", "a.sqlite", "b.sqlite", "--format", format], in: directory)
            #expect(outcome.status == 1 && outcome.output.contains("second on bible"), "\(format)")
        }
        // Neither file is touched.
        #expect(
            FileManager.default.contentsEqual(
                atPath: directory.file("a.sqlite"), andPath: directory.file("copy.sqlite")))
        #expect(try run(["diff", "a.sqlite", "none.sqlite"], in: directory).status == 66)

        // The same name, other weights.
        let train = try run(
            [
                "train", "c.sqlite", "--model", Self.model, "--text", Self.text, "--latents", "128", "--k", "8",
                "--shuffle-buffer", "2048", "--batch-tokens", "512", "--steps", "6", "--context", "128", "--layers",
                "1-3", "--seed", "9", "--name",
                "first",
                "--quiet",
            ], in: directory)
        #expect(train.status == 0, "\(train.errors)")
        let matched = try run(["diff", "a.sqlite", "c.sqlite", "--features", "3"], in: directory)
        #expect(matched.status == 1)
        for part in ["mean_max_cosine", "weights", "final_loss", "seed", "farthest from their best match"] {
            #expect(matched.output.contains(part), "\(part)")
        }
    }

    @Test(
        "Invalid options are usage errors",
        arguments: [
            ["features", "c.sqlite", "--similar", "1", "--fires-on", "a", "--model", "m"],
            ["features", "c.sqlite", "--similar", "1", "--sort", "p50"], ["features", "c.sqlite", "--fires-on", "a"],
            ["features", "c.sqlite", "--model", "m"], ["features", "c.sqlite", "--by-token"],
            ["features", "c.sqlite", "--fires-on", "a", "--model", "m", "--sort", "p50"],
            ["features", "c.sqlite", "--fires-on", "a", "--model", "m", "--by-token", "--sort", "share"],
            ["compare", "c.sqlite", "--features"], ["compare", "c.sqlite", "--dictionary", "a"],
            ["compare", "c.sqlite", "--threshold", "-1"], ["diff", "c.sqlite"],
            ["diff", "c.sqlite", "c.sqlite", "--features=-1"],
        ]) func whatMakesNoSenseIsUsage(arguments: [String]) throws
    {
        let directory = try TemporaryDirectory()
        let outcome = try run(arguments, in: directory)
        #expect(outcome.status == 64, "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    }
}
