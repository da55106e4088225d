import CatalogMaintenance
import FeatureCatalog
import Foundation
import Indexing
import LinearAlgebra
import TestSupport
import Testing
import Training
import WorkflowWorlds

@Suite struct CatalogComparisonTests {
    private let directory: TemporaryDirectory
    private let workers = Workers(threads: 2)

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func compare(_ a: Catalog, _ b: Catalog) throws -> CatalogDifference {
        try CatalogComparison(a, with: b, workers: workers).run()
    }

    private func planted(_ name: String, seed: UInt64 = 1) throws -> PlantedDictionaries {
        try PlantedDictionaries(named: name, seed: seed, in: directory)
    }

    @Test("Two catalogs made by the same commands are equal") func theSameMadeAnewIsEqual() throws {
        let (one, other) = (try planted("a"), try planted("b"))
        for planted in [one, other] { try planted.add("d", PlantedDictionaries.random(20, 4, seed: 1)) }
        #expect(try one.catalog.identity().uuid != other.catalog.identity().uuid)
        for (a, b) in [(one, one), (one, other)] {
            let difference = try compare(a.catalog, b.catalog)
            #expect(difference.isEqual && difference.rows.isEmpty && difference.matched.isEmpty)
        }
    }

    @Test("An incomplete run is not a difference", arguments: [RunRecord.Status.interrupted, .failed])
    func aRunThatDidNotCompleteMakesNoDifference(_ status: RunRecord.Status) throws {
        let (one, other) = (try planted("a"), try planted("b"))
        for planted in [one, other] { try planted.add("d", PlantedDictionaries.random(20, 4, seed: 1)) }
        let run = try one.catalog.beginRun(kind: .index, config: #"{"x":1}"#, seed: 3)
        try one.catalog.recordMetrics(runID: run, [RunMetric(step: 0, name: "loss", value: 9)])
        try one.catalog.finishRun(run, status: status, error: "killed")
        for catalog in [one.catalog, other.catalog] {
            let again = try catalog.beginRun(kind: .index, config: #"{"x":1}"#, seed: 3)
            try catalog.finishRun(again, status: .complete)
        }
        for (a, b, name) in [(one, other, "only in a"), (other, one, "only in b")] {
            let difference = try compare(a.catalog, b.catalog)
            #expect(difference.isEqual)
            // It is told all the same.
            #expect(difference.rows.map(\.name) == [name] && difference.rows.allSatisfy { !$0.isDifference })
        }
        // What was completed in one of them only does count.
        let more = try one.catalog.beginRun(kind: .index, config: #"{"x":2}"#, seed: 3)
        try one.catalog.finishRun(more, status: .complete)
        #expect(try !compare(one.catalog, other.catalog).isEqual)
    }

    @Test func aPermutedDictionaryMatchesOneToOne() throws {
        let (one, other) = (try planted("a"), try planted("b"))
        let decoder = PlantedDictionaries.random(50, 6, seed: 1)
        try one.add("d", decoder)
        try other.add("d", PlantedDictionaries.permuted(decoder, seed: 2).copy)
        let difference = try compare(one.catalog, other.catalog)
        #expect(!difference.isEqual)
        #expect(difference.rows.contains { $0.section == .dictionary && $0.name == "weights" && $0.isDifference })
        let matched = try #require(difference.matched.first)
        #expect(matched.matching.mutualCount == 50)
        let mean = try #require(difference.rows.first { $0.name == "mean_max_cosine" })
        for value in [mean.a, mean.b] {
            guard case .real(let cosine) = value else {
                Issue.record("\(value)")
                continue
            }
            #expect(abs(cosine - 1) < 1e-5)
        }
        #expect(difference.rows.first { $0.name == "n_mutual" }?.a == 50)
        // Settings, runs and texts are the same.
        #expect(Set(difference.rows.map(\.section)) == [.dictionary, .match, .table])
        #expect(
            difference.rows.filter { $0.section == .table }.map(\.name) == ["dictionary_tensor"])
    }

    @Test("Dictionaries of different widths are reported and not matched")
    func widthsThatDifferAreSaidAndNotMatched() throws {
        let (one, other) = (try planted("a"), try planted("b"))
        try one.add("d", PlantedDictionaries.random(8, 4, seed: 1))
        try other.add("d", PlantedDictionaries.random(8, 5, seed: 1))
        let difference = try compare(one.catalog, other.catalog)
        #expect(difference.matched.isEmpty)
        let width = try #require(difference.rows.first { $0.name.hasPrefix("width") })
        #expect(width.a == 4 && width.b == 5 && width.difference == 1)
    }

    @Test("Dictionaries in only one catalog, and renamed ones, are listed")
    func whatOnlyOneHasAndWhatIsCalledOtherwise() throws {
        let (one, other) = (try planted("a"), try planted("b", seed: 2))
        let decoder = PlantedDictionaries.random(8, 4, seed: 1)
        try one.add("same", decoder)
        try other.add("other name", decoder)
        try one.add("mine", PlantedDictionaries.random(8, 4, seed: 2))
        let difference = try compare(one.catalog, other.catalog)
        let rows = difference.rows.filter { $0.section == .dictionary }
        #expect(rows.map(\.subject) == ["same", "mine"])
        #expect(rows[0].a == "same" && rows[0].b == "other name")
        #expect(rows[1].name == "only in a" && rows[1].b == .null)
        // Another seed is another deed.
        #expect(difference.rows.filter { $0.section == .run }.map(\.name) == ["only in a", "only in b"])
        let seed = difference.rows.filter { $0.section == .setting && $0.name == "seed" }
        #expect(seed.map(\.a) == [1] && seed.map(\.b) == [2])
        let loss = try #require(difference.rows.first { $0.name == "final_loss" })
        #expect(loss.a == 1.0 && loss.b == 0.5 && loss.difference == -0.5)
    }

    @Test("A setting that differs is listed once") func aSettingIsSaidOnce() throws {
        let (one, other) = (try planted("a"), try planted("b"))
        let decoder = PlantedDictionaries.random(8, 4, seed: 1)
        try one.add("d", decoder, k: 4)
        try other.add("d", decoder, k: 5, threshold: 2)
        let rows = try compare(one.catalog, other.catalog).rows
        let settings = rows.filter { $0.section == .setting }
        #expect(settings.map(\.name) == ["k", "activation_threshold"])
        #expect(settings[0].a == 4 && settings[0].b == 5)
        #expect(!rows.contains { $0.section == .match })
    }

    @Test("An extra run is a difference") func aRunMoreIsADifference() throws {
        let (one, other) = (try planted("a"), try planted("b"))
        let runID = try other.catalog.beginRun(kind: .score, config: "{}", seed: nil)
        try other.catalog.finishRun(runID, status: .failed, error: "no")
        let rows = try compare(one.catalog, other.catalog).rows
        #expect(rows.count == 1)
        #expect(rows[0].section == .run && rows[0].name == "only in b" && rows[0].a == .null)
    }

    /// One dictionary, indexed on prefixes of the same text.
    @Test func indexesAreComparedFeatureByFeature() throws {
        let demo = try DemoModel()
        let text = try demo.text()
        var keys: [IndexingKey] = []
        var catalogs: [Catalog] = []
        defer { for catalog in catalogs { _ = try? catalog.close() } }
        for (name, most) in [("a", nil), ("b", 90)] as [(String, Int?)] {
            let path = demo.directory.file(name)
            try train(
                [
                    TrainingSettings(
                        name: "d", model: DemoModel.path, text: [text], latents: 96, k: 6, batchTokens: 64, steps: 4,
                        context: 48, seed: 1)
                ], catalog: path)
            catalogs.append(try Catalog.open(at: path, mode: .readWrite))
            let result = try IndexingRun(
                settings: IndexingSettings(
                    dictionary: "d", model: DemoModel.path, text: [text],
                    options: IndexingOptions(maximumTokens: most, context: 48)), workers: workers
            ).run(on: catalogs[catalogs.count - 1])
            keys.append(result.key)
            // What an index run found is in the ledger.
            let noted = try catalogs[catalogs.count - 1].runMetrics(result.runID, name: "explained_variance")
            #expect(noted.map(\.value) == [result.explainedVariance])
        }

        let rows = try compare(catalogs[0], catalogs[1]).rows
        #expect(!rows.contains { [.dictionary, .match, .corpus, .index].contains($0.section) })
        let subject = "d on text"
        func metric(_ name: String) -> CatalogDifference.Row? {
            rows.first { $0.section == .metric && $0.subject == subject && $0.name == name }
        }
        #expect(metric("n_tokens")?.b == 90)
        #expect(metric("mean_active_per_token") != nil && metric("explained_variance") != nil)
        let tables = Set(rows.filter { $0.section == .table && $0.subject == subject }.map(\.name))
        #expect(tables.isSuperset(of: ["indexing", "feature", "feature_layer", "feature_context"]))

        let fired = try zip(catalogs, keys).map { try $0.features($1).map(\.firedCount) }
        let changes = zip(fired[0], fired[1]).map { abs($0 - $1) }
        let features = rows.filter { $0.section == .feature }
        #expect(features[0].difference == Double(changes.filter { $0 > 0 }.count))
        #expect(
            features.dropFirst().map { abs($0.difference ?? 0) }
                == changes.sorted(by: >).prefix(10).filter { $0 > 0 }.map(Double.init))
    }
}
