import ChatServerSupport
import Foundation
import TestSupport
import Testing

/// Samples, counts by score, and reviews.
@Suite(.serialized) struct ScoreCommandTests {
    private static let model = repositoryFile("Demo/model")
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try MadeOnce.catalog("scored by the program", at: directory.file("c.sqlite")) { path in
            let text = repositoryFile("Demo/text/heldout/bible.jsonl")
            for arguments in [
                [
                    "train", path, "--model", Self.model, "--text", text, "--latents", "128", "--k", "8",
                    "--shuffle-buffer", "2048", "--batch-tokens", "512", "--steps", "20", "--context", "128", "--quiet",
                ],
                [
                    "index", path, "--model", Self.model, "--text", text, "--tokens", "6000", "--context",
                    "128",
                    "--quiet",
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

    private func score(_ arguments: [String]) throws -> Program.Outcome {
        try Program.run(["score", "c.sqlite", "--model", Self.model] + arguments, in: directory)
    }

    @Test func samplesAndCounts() throws {
        #expect(try score(["--sample", "24", "--stratify", "firing-rate", "--seed", "2"]).status == 0)
        let sql = "SELECT feature_index FROM explanation WHERE run_id = (SELECT max(run_id) FROM run) ORDER BY 1"
        let first = try rows(["sql", "c.sqlite", sql]).compactMap { $0["feature_index"] as? Int }
        #expect(first.count == 24)
        // Again the same; another seed draws others.
        #expect(try score(["--sample", "24", "--stratify", "firing-rate", "--seed", "2", "--quiet"]).status == 0)
        #expect(try rows(["sql", "c.sqlite", sql]).compactMap { $0["feature_index"] as? Int } == first)
        #expect(try score(["--sample", "24", "--stratify", "layer", "--seed", "3", "--quiet"]).status == 0)
        #expect(try rows(["sql", "c.sqlite", sql]).compactMap { $0["feature_index"] as? Int } != first)

        let counted = try rows(["count", "c.sqlite", "--by-score", "--by-layer"])
        let all = try #require(counted.first)
        let scored = try #require(all["n_scored"] as? Int)
        let interpretable = try #require(all["n_interpretable"] as? Int)
        #expect(counted.dropFirst().compactMap { $0["n_scored"] as? Int }.reduce(0, +) == scored)
        #expect(counted.dropFirst().compactMap { $0["n_interpretable"] as? Int }.reduce(0, +) == interpretable)
        let share = try #require(all["share"] as? Double)
        #expect(share == Double(interpretable) / Double(scored))
        #expect(try #require(all["share_low"] as? Double) <= share && share <= #require(all["share_high"] as? Double))
        let most = try rows(["count", "c.sqlite", "--by-score", "--min-score", "2"])
        #expect(most.first?["n_interpretable"] as? Int == 0)
        let compared = try rows(["compare", "c.sqlite"])
        #expect(compared.first?["share_above_chance"] as? Double == share)
        #expect(compared.first?["share_low"] as? Double == all["share_low"] as? Double)
    }

    @Test("Features that do not qualify are refused") func whatDoesNotQualifyIsRefused() throws {
        let none = try score(["--where", "firing_rate > 2"])
        #expect(none.status == 77 && none.errors.contains("no feature") && none.errors.contains("--where"))
        let wrong = try score(["--where", "colour = 2"])
        #expect(wrong.status == 64 && wrong.errors.contains("no column 'colour'"))
        let unscored = try Program.run(["count", "c.sqlite", "--by-score"], in: directory)
        #expect(unscored.status == 77 && unscored.errors.contains("routesae score"))
        for arguments in [
            ["--by-score", "--threshold", "1"], ["--min-score", "0.5"], ["--by-score", "--method", "rubric"],
        ] {
            #expect(try Program.run(["count", "c.sqlite"] + arguments, in: directory).status == 64)
        }
    }

    @Test("Reviewers do not see the explanations they judge") func peopleJudgeBlind() throws {
        #expect(try score(["--sample", "10", "--quiet"]).status == 0)
        let arguments = ["review", "c.sqlite", "--sample", "4", "--reviewer", "ada", "--contexts", "3"]
        // A verdict out of range is asked for again; one feature is skipped; then the end.
        let first = try Program.run(
            arguments, in: directory, input: "7\n5\nh\nclear pattern\ns\n2\n\n\nq\n")
        #expect(first.status == 0 && first.errors.contains("'7' is none of"))
        #expect(!first.output.contains("fires on") && !first.output.contains("score"))
        let reviews = try rows([
            "sql", "c.sqlite", "SELECT verdict, category, note, reviewer FROM review ORDER BY review_id",
        ])
        #expect(reviews.compactMap { $0["verdict"] as? Int } == [5, 2])
        #expect(reviews[0]["category"] as? String == "high-level" && reviews[0]["note"] as? String == "clear pattern")
        #expect(reviews[1]["category"] is NSNull && reviews.allSatisfy { $0["reviewer"] as? String == "ada" })
        // Taken up again where it was left; an input that ends is the end of the review.
        let second = try Program.run(arguments, in: directory, input: "4\n")
        #expect(second.status == 0 && second.errors.contains("2 features to judge as ada, 2 judged already"))
        let agreement = try rows(["review", "c.sqlite", "--agreement"])
        #expect(agreement.map { $0["method"] as? String } == ["simulation", "detection", "fuzzing", "rubric"])
        #expect(try #require(agreement[0]["n_verdicts"] as? Int) <= 3 && agreement[3]["n_verdicts"] as? Int == 0)
        #expect(try Program.run(["verify", "c.sqlite"], in: directory).status == 0)
    }

    @Test("A judge run is announced, made and retried") func aJudgeIsAnnouncedAskedAndRetried() async throws {
        try await ScriptedChatServer.run(
            script: { request, call in
                call == 1 ? .reply("no idea") : .reply(#"{"category": "low-level", "score": 5, "explanation": "x"}"#)
            }
        ) { server in
            let judge = [
                "--endpoint", server.endpoint, "--llm", "scripted", "--tests", "rubric", "--sample", "5",
                "--concurrency", "1", "--timeout", "600",
            ]
            let (directory, environment) = (directory, ["OPENAI_API_KEY": "", "JUDGE_KEY": "sk-secret"])
            func run(_ arguments: [String]) async throws -> Program.Outcome {
                try await onThread {
                    try Program.run(["score", "c.sqlite"] + arguments, in: directory, environment: environment)
                }
            }

            let dry = try await run(judge + ["--dry-run"])
            #expect(dry.status == 0 && server.requests.isEmpty, "\(dry.errors)")
            #expect(dry.output.contains("--- rubric-1, system") && dry.output.contains("\"excerpts\""))
            #expect(dry.errors.contains("5 requests"))
            // What may be spent is announced in any case.
            let refused = try await run(judge + ["--max-requests", "2", "--quiet"])
            #expect(refused.status == 77 && server.requests.isEmpty)
            #expect(refused.errors.contains("tokens of questions"))
            #expect(refused.errors.contains("no more than 2 are sent"))

            let first = try await run(judge + ["--key-variable", "JUDGE_KEY"])
            #expect(first.status == 0 && server.requests.count == 5, "\(first.errors)")
            #expect(first.errors.contains("1 failed, which --retry-failed asks again"))
            #expect(server.requests.allSatisfy { $0.headers["authorization"] == "Bearer sk-secret" })
            #expect(!first.errors.contains("sk-secret") && !first.output.contains("sk-secret"))
            let second = try await run(["--retry-failed"])
            #expect(second.status == 0 && server.requests.count == 6, "\(second.errors)")
            #expect(server.requests[5].headers["authorization"] == nil)
            let third = try await run(["--retry-failed"])
            #expect(third.status == 77 && third.errors.contains("no scores that failed"))
            // There is nothing to announce where the archive has all the answers.
            let last = try await run(judge + ["--quiet"])
            #expect(last.status == 0 && last.errors.isEmpty && server.requests.count == 6, "\(last.errors)")
        }
    }

    /// A missing score is printed as missing, not as 0.
    @Test("Without scores there is no mean") func ofNoScoresThereIsNoMean() throws {
        try "and he went\n".write(toFile: directory.file("few.txt"), atomically: true, encoding: .utf8)
        let indexed = try Program.run(
            [
                "index", "c.sqlite", "--model", Self.model, "--text", "few.txt", "--corpus", "few", "--context", "128",
                "--quiet",
            ], in: directory)
        #expect(indexed.status == 0, "\(indexed.errors)")
        let outcome = try Program.run(
            ["score", "c.sqlite", "--corpus", "few", "--all", "--min-firings", "1"], in: directory)
        #expect(outcome.status == 0 && outcome.errors.contains("simulation: no score; "), "\(outcome.errors)")
        #expect(outcome.errors.contains("undefined") && !outcome.errors.contains("mean"))
        let run = try #require(try rows(["runs", "c.sqlite"]).last?["summary"] as? String)
        #expect(run.contains("no simulation score, ") && run.contains("undefined") && !run.contains("mean"))
        let page = try Program.run(["runs", "c.sqlite"], in: directory)
        #expect(page.output.contains("no simulation score"))
        let compared = try rows(["compare", "c.sqlite"])
        #expect(compared.allSatisfy { $0["mean_simulation_score"] is NSNull && $0["share_above_chance"] is NSNull })
        let counted = try Program.run(["count", "c.sqlite", "--corpus", "few", "--by-score"], in: directory)
        #expect(counted.status == 77 && counted.errors.contains("are undefined"), "\(counted.errors)")
        let all = try Program.run(["count", "c.sqlite", "--by-score", "--all-dictionaries"], in: directory)
        #expect(all.status == 0 && !all.output.contains("0.0"), "\(all.output)")
    }

    /// The failure is reported even with `--quiet`.
    @Test("A judge that fails throughout is a failed run") func aDeadJudgeIsAFailedRun() async throws {
        let judge = ["score", "c.sqlite", "--llm", "scripted", "--tests", "rubric", "--timeout", "600", "--quiet"]
        let directory = directory
        let dead = try await onThread {
            try Program.run(judge + ["--endpoint", "http://127.0.0.1:1/v1", "--sample", "40"], in: directory)
        }
        #expect(dead.status == 77 && dead.errors.contains("cannot be reached"), "\(dead.errors)")
        // The announcement, and one line.
        #expect(dead.errors.split(separator: "\n").count == 2)
        let run = try #require(try rows(["runs", "c.sqlite"]).last)
        #expect(run["status"] as? String == "failed" && (run["summary"] as? String)?.contains("score") == false)

        // So is one whose answers are of no use, unless what it said may be asked again.
        try await ScriptedChatServer.run(script: { _, _ in .reply("well") }) { server in
            let early = try await onThread {
                try Program.run(judge + ["--endpoint", server.endpoint, "--sample", "12"], in: directory)
            }
            #expect(early.status == 77 && server.requests.count == 5, "\(early.errors)")
            #expect(early.errors.contains("--no-json-mode") && early.errors.contains("first 5 answers"))
        }
        try await ScriptedChatServer.run(
            script: { _, call in .reply(call <= 2 ? "well" : #"{"Category":"low-level","score":4,"explanation":"x"}"#) }
        ) { server in
            let none = try await onThread {
                try Program.run(judge.dropLast() + ["--endpoint", server.endpoint, "--sample", "2"], in: directory)
            }
            #expect(none.status == 77 && none.errors.contains("rubric: no score; 2 failed"), "\(none.errors)")
            #expect(none.errors.contains("has no score") && !none.errors.contains("mean"))
            #expect(try rows(["runs", "c.sqlite"]).last?["status"] as? String == "complete")
            let retried = try await onThread {
                try Program.run(["score", "c.sqlite", "--retry-failed"], in: directory)
            }
            #expect(retried.status == 0 && retried.errors.contains("rubric: mean score 4"), "\(retried.errors)")
        }
    }

    /// Removed wrapping is counted in the output.
    @Test("Removed wrappers are counted in the output") func whatIsTakenOffIsCounted() async throws {
        let good = #"{"category":"Low-Level","score":4,"explanation":"x"}"#
        let (directory, tests) = (directory, ["--tests", "rubric", "--sample", "4", "--timeout", "600"])
        try await ScriptedChatServer.run(
            script: { _, call in .reply(call == 1 ? good : "<think>hm</think>\n```json\n\(good)\n```") }
        ) { server in
            let outcome = try await onThread {
                try Program.run(
                    ["score", "c.sqlite", "--endpoint", server.endpoint, "--llm", "x"] + tests, in: directory)
            }
            #expect(outcome.status == 0 && outcome.errors.contains("rubric: mean score 4\n"), "\(outcome.errors)")
            #expect(outcome.errors.contains("3 had a code fence around them, 3 had think blocks before them"))
            #expect(outcome.errors.contains("of 4 answers used"))
        }
    }

    @Test(
        "Invalid options are usage errors",
        arguments: [
            ["--endpoint", "http://127.0.0.1:1/v1"], ["--llm", "x"], ["--dry-run"], ["--retry-failed", "--llm", "x"],
            ["--endpoint", "ftp://127.0.0.1/v1", "--llm", "x"],
            ["--endpoint", "http://u:p@127.0.0.1/v1", "--llm", "x"],
            ["--endpoint", "http://127.0.0.1:1/v1", "--llm", "x", "--max-cost", "1"],
            ["--endpoint", "http://127.0.0.1:1/v1", "--llm", "x", "--key-variable", "NO_SUCH_VARIABLE"],
            ["--endpoint", "http://127.0.0.1:1/v1", "--llm", "x", "--tests", "explanation"],
            ["--retry-failed", "--sample", "100"], ["--retry-failed", "--min-firings", "20"],
            ["--retry-failed", "--maximum-suffix", "12"], ["--retry-failed", "--seed", "0"],
            ["--retry-failed", "--explanations", "written"],
        ])
    func whatMakesNoSenseIsUsage(arguments: [String]) throws {
        let outcome = try Program.run(["score", "c.sqlite"] + arguments, in: directory)
        #expect(outcome.status == 64, "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    }
}
