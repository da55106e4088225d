import ActivationPipeline
import CatalogMaintenance
import Evaluation
import FeatureCatalog
import Foundation
import GRDB
import Indexing
import LinearAlgebra
import Scoring
import TestSupport
import Testing
import Training
import WorkflowWorlds

/// Other tokenizers for the same weights.
@Suite struct TokenizerIdentityTests {
    private let model: TinyModel
    private let workers = Workers(threads: 2)

    init() throws { model = try TinyModel() }

    private func refusal(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "accepted"
        } catch WorkflowError.refused(let reason) {
            return reason
        } catch { return "another error: \(error)" }
    }

    @Test("Every task refuses another tokenizer") func everyTaskRefusesIt() throws {
        let path = try model.catalog("c.sqlite")
        try model.exchangeTokenizer()
        let tasks: [(String, (Catalog) throws -> Void)] = [
            (
                "index",
                { [model, workers] catalog in
                    _ = try IndexingRun(
                        settings: IndexingSettings(model: model.path, text: [model.text], corpus: "two"),
                        workers: workers
                    ).run(on: catalog)
                }
            ),
            (
                "evaluate",
                { [model, workers] catalog in
                    _ = try EvaluationRun(
                        settings: EvaluationSettings(model: model.path, text: [model.text]), workers: workers
                    ).run(on: catalog)
                }
            ),
            (
                "score",
                { [model, workers] catalog in
                    _ = try ScoringRun(settings: ScoringSettings(model: model.path), workers: workers).run(on: catalog)
                }
            ),
            (
                "verify",
                { [model, workers] catalog in
                    _ = try Recomputation(settings: .init(model: model.path, count: 2), workers: workers).run(
                        on: catalog)
                }
            ),
            (
                "fires on",
                { [model, workers] catalog in
                    _ = try FiringSearch(
                        text: "the king", model: model.path, dictionary: nil, in: catalog, workers: workers
                    ).run()
                }
            ),
            ("train", { [model] _ in try train([model.settings], catalog: path, resuming: false) }),
        ]
        for (name, task) in tasks where name != "train" {
            let reason = refusal { try model.open(path) { try task($0) } }
            #expect(
                reason.contains("another tokenizer") && reason.contains("token 258 is \"jx\""), "\(name): \(reason)")
        }
    }

    /// A second dictionary of the same weights may not bring another vocabulary.
    @Test func trainingIntoTheCatalogRefusesIt() throws {
        let path = try model.catalog("c.sqlite")
        try model.exchangeTokenizer()
        let reason = refusal {
            try model.open(path) { catalog in
                var settings = model.settings
                settings.name = "e"
                let job = try TrainingJob([settings], workers: workers)
                _ = try TrainingRun(
                    job, workers: workers,
                    checkpoints: CheckpointPolicy(path: TrainingCheckpoint.path(besideCatalog: path))
                ).run(into: catalog)
            }
        }
        #expect(reason.contains("token 258"), "\(reason)")
    }

    @Test("A tokenizer file in another spelling is the same tokenizer") func aFileWrittenAnewIsTheSame() throws {
        let path = try model.catalog("c.sqlite", indexed: false)
        try model.changeTokenizer(
            { document in
                guard var part = document["model"] as? [String: Any], let merges = part["merges"] as? [Any] else {
                    return
                }
                part["merges"] = merges.map { ($0 as? [String])?.joined(separator: " ") ?? $0 }
                document["model"] = part
                document["version"] = "1.1"
            }, options: [.prettyPrinted, .sortedKeys])
        try model.index(path, corpus: "one")
        let (models, problems) = try model.open(path) { (try $0.languageModels(), try $0.verify()) }
        #expect(models.count == 1 && problems.isEmpty)
    }

    @Test("Other rules for the same tokens are another tokenizer")
    func otherRulesForTheSameTokensAreAnotherTokenizer() throws {
        let path = try model.catalog("c.sqlite", indexed: false)
        try model.changeTokenizer { document in
            guard var part = document["model"] as? [String: Any], let merges = part["merges"] as? [Any] else { return }
            part["merges"] = Array(merges.reversed())
            document["model"] = part
        }

        let reason = refusal { try model.index(path, corpus: "one") }
        #expect(reason.contains("all tokens are the same, but not how a text becomes tokens"), "\(reason)")
    }

    /// Version 0.1 allowed this: two indexes of one dictionary by two tokenizers.
    @Test("Verification reports two tokenizers for one dictionary") func verifyNotices() throws {
        let path = try model.catalog("c.sqlite")
        let sound = try model.open(path) { try $0.verify() }
        #expect(sound.isEmpty)
        let queue = try DatabaseQueue(path: path)
        try queue.write { database in
            try database.execute(
                sql: """
                    UPDATE token SET text = ' quite another', bytes = CAST(' quite another' AS BLOB) WHERE text = ' '
                    """)
        }
        try queue.close()
        try model.open(path) { catalog in
            let problems = try catalog.verify()
            // What the text contradicts, and that another hand changed the vocabulary.
            #expect(problems.map(\.place) == ["corpus one", "token, language_model_id = 1"], "\(problems)")
            #expect(problems.first?.reason.contains("another tokenizer") == true)
        }
    }
}
