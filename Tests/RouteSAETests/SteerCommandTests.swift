import Foundation
import Glibc
import TestSupport
import Testing

/// Steering through the program.
@Suite(.serialized) struct SteerCommandTests {
    private static let model = repositoryFile("Demo/model")
    private static let prompt = "And the king said unto him,"
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try MadeOnce.catalog("steered by the program", at: directory.file("c.sqlite")) { path in
            let text = repositoryFile("Demo/text/heldout/bible.jsonl")
            for arguments in [
                [
                    "train", path, "--model", Self.model, "--text", text, "--latents", "128", "--k", "8",
                    "--shuffle-buffer", "2048", "--batch-tokens", "512", "--steps", "12", "--context", "128", "--quiet",
                ],
                [
                    "index", path, "--model", Self.model, "--text", text, "--tokens", "3000", "--context",
                    "128", "--quiet",
                ],
            ] {
                let outcome = try Program.run(arguments, in: directory)
                #expect(outcome.status == 0, "\(outcome.errors)")
            }
        }
    }

    private func steer(_ arguments: [String]) throws -> Program.Outcome {
        try Program.run(["steer", "c.sqlite", "--model", Self.model] + arguments, in: directory)
    }

    private func rows(_ arguments: [String]) throws -> [[String: Any]] {
        let outcome = try Program.run(arguments + ["--format", "json"], in: directory)
        #expect(outcome.status == 0, "\(arguments): \(outcome.errors)")
        return try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]])
    }

    private func steered(_ arguments: [String]) throws -> [[String: Any]] {
        try rows(["steer", "c.sqlite", "--model", Self.model, "--prompt", Self.prompt, "--quiet"] + arguments)
    }

    @Test func oneFeatureSeveralFeaturesAndSweeps() throws {
        let one = try steered(["--feature", "5", "--set", "12", "--tokens", "6"])
        #expect(one.count == 1)
        #expect(one[0]["prompt"] as? String == Self.prompt && one[0]["edits"] as? String == "5 set 12")
        #expect(try #require(one[0]["kl"] as? Double) > 0.001)
        #expect(one[0]["promoted_change"] is Double && one[0]["steered"] is String)
        // Written as pairs it is the same.
        let same = try steered(["--set", "5=12", "--tokens", "6"])
        #expect(same[0]["steered"] as? String == one[0]["steered"] as? String)
        #expect(same[0]["kl"] as? Double == one[0]["kl"] as? Double)

        let several = try steered(["--set", "5=12", "--multiply", "9=0", "--add", "7=-1.5", "--tokens", "3"])
        #expect(several[0]["edits"] as? String == "5 set 12, 7 add -1.5, 9 multiply 0")

        let sweep = try steered(["--feature", "5", "--sweep", "add=0,4,8", "--multiply", "9=1", "--tokens", "6"])
        #expect(sweep.compactMap { $0["strength"] as? Double } == [0, 4, 8])
        #expect(sweep[0]["kl"] as? Double == 0)
        #expect(sweep[0]["steered"] as? String == sweep[0]["unsteered"] as? String)
        let divergences = sweep.compactMap { $0["kl"] as? Double }
        #expect(divergences[1] > 0 && divergences[2] > divergences[1])

        // All of it is in the catalog, and comes out again.
        let kept = try rows([
            "sql", "c.sqlite",
            "SELECT feature_index, operation, strength, text, kl FROM intervention ORDER BY intervention_id",
        ])
        #expect(kept.count == 6)
        #expect(kept[0]["text"] as? String == one[0]["steered"] as? String)
        #expect(kept[0]["kl"] as? Double == one[0]["kl"] as? Double)
        let again = try Program.run(["reproduce", "c.sqlite", "6", "--threads", "1"], in: directory)
        #expect(again.status == 0 && again.output.contains("intervention kl"), "\(again.errors)\(again.output)")
        #expect(try Program.run(["verify", "c.sqlite"], in: directory).status == 0)
    }

    @Test func everyFormatAndSeveralPrompts() throws {
        try "The function\n\n  In the beginning\n".write(
            toFile: directory.file("prompts.txt"), atomically: true, encoding: .utf8)
        let asked = [
            "--feature", "5", "--set", "6", "--prompt", Self.prompt, "Behold", "--prompt-file", "prompts.txt",
            "--tokens", "3", "--no-save", "--temperature", "0.8", "--top-p", "0.9", "--seed", "4",
        ]
        for format in ["table", "json", "jsonl", "csv", "tsv", "markdown"] {
            let outcome = try steer(asked + ["--format", format, "--threads", "1"])
            #expect(outcome.status == 0 && outcome.output.contains("  In the beginning"), "\(outcome.errors)")
            #expect(try steer(asked + ["--format", format, "--threads", "2"]).output == outcome.output)
        }
        #expect(try rows(["runs", "c.sqlite"]).count == 2)
    }

    @Test("Steering through a chat template") func throughAChatTemplate() throws {
        let model = directory.file("chat")
        try FileManager.default.copyItem(atPath: Self.model, toPath: model)
        let template = "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}[assistant]"
        try template.write(toFile: model + "/chat_template.jinja", atomically: true, encoding: .utf8)
        let asked = try rows([
            "steer", "c.sqlite", "--model", model, "--feature", "5", "--set", "9", "--chat", "--system", "Be brief.",
            "--prompt", "Who is the king?", "--tokens", "5", "--quiet",
        ])
        #expect(asked.map { $0["prompt"] as? String } == ["Who is the king?"])
        let kept = try rows([
            "sql", "c.sqlite", "SELECT detail ->> '$.rendered' AS rendered FROM intervention",
        ])
        #expect(
            kept.map { $0["rendered"] as? String } == [
                "<|begin_of_text|>[system] Be brief.\n[user] Who is the king?\n[assistant]"
            ])
        let again = try Program.run(["reproduce", "c.sqlite", "3", "--threads", "1"], in: directory)
        #expect(again.status == 0, "\(again.errors)\(again.output)")
    }

    @Test("An interrupted run is marked as interrupted") func anInterruptedRunIsMarkedSo() throws {
        let prompts = [String](repeating: "And it came to pass", count: 40)
        let arguments =
            ["steer", "c.sqlite", "--model", Self.model, "--feature", "5", "--sweep", "set=1,2,3,4", "--tokens", "400"]
            + ["--prompt"] + prompts
        let outcome = try Program.run(arguments, in: directory, signal: SIGINT, afterMilliseconds: 2500)
        #expect(outcome.status == 75, "\(outcome.errors)")
        let runs = try rows(["sql", "c.sqlite", "SELECT kind, status FROM run ORDER BY run_id"])
        #expect(runs.last?["kind"] as? String == "steer" && runs.last?["status"] as? String == "interrupted")
    }

    /// One after the other, since every test trains a dictionary of its own.
    @Test("Invalid options are usage errors") func whatMakesNoSenseIsUsage() throws {
        let senseless = [
            ["--feature", "5"], ["--set", "5"], ["--prompt", "a"], ["--feature", "5", "--set", "x", "--prompt", "a"],
            ["--feature", "5", "--set", "1", "--multiply", "2", "--prompt", "a"],
            ["--set", "5=1", "--set", "5=2", "--prompt", "a"], ["--add", "5=1", "--add", "5=1", "--prompt", "a"],
            ["--feature", "128", "--set", "1", "--prompt", "a"], ["--feature", "5", "--set", "nan", "--prompt", "a"],
            ["--feature", "5", "--set", "-3", "--prompt", "a"], ["--feature", "5", "--add", "inf", "--prompt", "a"],
            ["--feature", "5", "--sweep", "1,2", "--prompt", "a"], ["--sweep", "set=1", "--prompt", "a"],
            ["--feature", "5", "--sweep", "set=", "--prompt", "a"],
            ["--feature", "5", "--set", "1", "--prompt", "a", "--tokens", "0"],
            ["--feature", "5", "--set", "1", "--prompt", "a", "--tokens", "600"],
            ["--feature", "5", "--set", "1", "--prompt", "a", "--temperature", "0"],
            ["--feature", "5", "--set", "1", "--prompt", "a", "--top-p", "0.5"],
            ["--feature", "5", "--set", "1", "--prompt", "a", "--system", "b"],
            ["--feature", "5", "--set", "1", "--prompt", "a", "--date", "2024-01-01"],
            ["--feature", "5", "--set", "1", "--prompt", "a", "--chat", "--date", "today"],
            // The shipped model has no template.
            ["--feature", "5", "--set", "1", "--prompt", "a", "--chat"],
        ]
        for arguments in senseless {
            let outcome = try steer(arguments)
            #expect(outcome.status == 64, "\(arguments): \(outcome.errors)")
            #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
        }
    }

    @Test func missingFilesAndDamagedOnes() throws {
        let edit = ["--feature", "5", "--set", "1"]
        #expect(try steer(edit + ["--prompt-file", "none.txt"]).status == 66)
        try Data([0xff, 0xfe, 0x41]).write(to: URL(filePath: directory.file("bytes.txt")))
        #expect(try steer(edit + ["--prompt-file", "bytes.txt"]).status == 65)
        let outcome = try Program.run(
            ["steer", "c.sqlite", "--model", "none", "--prompt", "a"] + edit, in: directory)
        #expect(outcome.status == 66)
    }
}
