import ActivationPipeline
import FeatureCatalog
import Indexing
import LinearAlgebra
import Scoring
import SparseCoding
import TestSupport
import Testing
import Training
import Vocabulary
import WorkflowWorlds

/// Offline explanations and scores with the model at hand.
@Suite struct ScoringRunTests {
    @Test("Explanations score above the baseline", arguments: [Architecture.topk, .random, .crosscoder])
    func explanationsScoreAboveChance(architecture: Architecture) throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("c.sqlite")
        let text = repositoryFile("Demo/text/heldout/bible.jsonl")
        try train(
            [
                TrainingSettings(
                    name: "d", architecture: architecture, model: DemoModel.path, text: [text],
                    layers: architecture == .topk ? [2] : [1, 2, 3], latents: 128, k: 4, batchTokens: 512, steps: 40,
                    context: 64, seed: 1)
            ], catalog: path)
        let catalog = try Catalog.open(at: path, mode: .readWrite)
        defer { _ = try? catalog.close() }
        let workers = Workers(threads: 2)
        _ = try IndexingRun(
            settings: IndexingSettings(
                model: DemoModel.path, text: [text], options: IndexingOptions(maximumTokens: 8000, context: 64)),
            workers: workers
        ).run(on: catalog)
        let settings = ScoringSettings(model: DemoModel.path, sample: 20, seed: 5)
        let result = try ScoringRun(settings: settings, workers: workers).run(on: catalog)
        func mean(_ values: [Double?]) -> Double {
            let defined = values.compactMap(\.self)
            return defined.reduce(0, +) / Double(max(1, defined.count))
        }
        #expect(result.features.count == 20 && result.scores.compactMap(\.self).count > 10)
        #expect(mean(result.scores) > mean(result.chance) + 0.15, "\(mean(result.scores)), \(mean(result.chance))")
        // The same to the bit, whatever the number of threads.
        let again = try ScoringRun(settings: settings, workers: Workers(threads: 1)).run(on: catalog)
        #expect(again.scores == result.scores && again.chance == result.chance)
    }

    @Test("A precision without a model is refused, with a judge as well")
    func precisionNeedsAModel() throws {
        let directory = try TemporaryDirectory()
        let catalog = try Catalog.create(at: directory.file("c.sqlite"), replacing: false)
        defer { _ = try? catalog.close() }
        let settings = ScoringSettings(precision: .bf16)
        let error = #expect(throws: WorkflowError.self) {
            try ScoringRun(settings: settings, workers: Workers(threads: 1)).run(on: catalog)
        }
        #expect(error == .usage("`precision` is that of the language model; name its folder with `model`"))
    }
}
