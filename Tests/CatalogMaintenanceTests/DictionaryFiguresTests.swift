import CatalogMaintenance
import FeatureCatalog
import Indexing
import LinearAlgebra
import Scoring
import TestSupport
import Testing
import Training
import WorkflowWorlds

@Suite struct DictionaryFiguresTests {
    @Test("The comparison has one row per dictionary and corpus") func oneRowForEachDictionaryAndCorpus() throws {
        let demo = try DemoModel()
        let text = try demo.text()
        let path = demo.directory.file("c.sqlite")
        try train(
            ["one", "two"].map {
                TrainingSettings(
                    name: $0, model: DemoModel.path, text: [text], latents: 64, k: 4, batchTokens: 64, steps: 4,
                    context: 48, seed: 1)
            }, catalog: path)
        let catalog = try Catalog.open(at: path, mode: .readWrite)
        defer { _ = try? catalog.close() }
        let results = try ["p", "q"].map { corpus in
            try IndexingRun(
                settings: IndexingSettings(
                    dictionary: "one", model: DemoModel.path, text: [text], corpus: corpus,
                    options: IndexingOptions(maximumTokens: corpus == "p" ? nil : 70, context: 48)),
                workers: Workers(threads: 2)
            ).run(on: catalog)
        }

        let scoring = try ScoringRun(
            settings: ScoringSettings(
                dictionary: "one", corpus: "p", model: DemoModel.path, sample: 10, minimumFirings: 2, maximumSuffix: 3),
            workers: Workers(threads: 2)
        ).run(on: catalog)

        let figures = try DictionaryFigures.all(in: catalog)
        #expect(figures.map(\.dictionary.name) == ["one", "one", "two"])
        #expect(figures.map(\.corpus?.name) == ["p", "q", nil])
        #expect(figures.map(\.key) == [results[0].key, results[1].key, nil])
        #expect(figures.map(\.explainedVariance) == [results[0].explainedVariance, results[1].explainedVariance, nil])
        #expect(figures.map(\.tokenCount) == [results[0].tokens, 70, nil])
        for (figures, result) in zip(figures, results) {
            let features = try catalog.features(result.key)
            let fired = features.map(\.firedCount)
            #expect(figures.aliveCount == fired.filter { $0 > 0 }.count)
            #expect(figures.deadCount == fired.filter { $0 == 0 }.count)
            let active = Double(fired.reduce(0, +)) / Double(result.tokens)
            #expect(abs((figures.meanActivePerToken ?? 0) - active) < 1e-9)
        }
        #expect(figures[1].meanScore == nil && figures[1].shareAboveChance == nil && figures[2].aliveCount == nil)

        // 95th percentile with linear interpolation, by hand.
        let scores = scoring.scores.compactMap { $0 }
        let chance = scoring.chance.compactMap(\.self).sorted()
        try #require(!scores.isEmpty && !chance.isEmpty)
        let place = 0.95 * Double(chance.count - 1)
        let (below, above) = (chance[Int(place)], chance[min(Int(place) + 1, chance.count - 1)])
        let limit = below + (place - place.rounded(.down)) * (above - below)
        // What has no score does not exceed anything.
        let share = Double(scores.filter { $0 > limit }.count) / Double(scoring.scores.count)
        #expect(abs((figures[0].shareAboveChance ?? -1) - share) < 1e-9)
        #expect(abs((figures[0].meanScore ?? 0) - scores.reduce(0, +) / Double(scores.count)) < 1e-9)
        #expect(figures[0].explainedCount == scoring.features.count)
        let losses = try catalog.runMetrics(figures[2].dictionary.runID, name: "loss")
        #expect(figures[2].finalLoss == losses.last?.value)
        #expect(try DictionaryFigures.all(in: catalog, dictionaryID: 2).map(\.dictionary.name) == ["two"])
    }
}
