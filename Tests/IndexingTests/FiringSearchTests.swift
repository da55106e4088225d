import ActivationPipeline
import FeatureCatalog
import Indexing
import LinearAlgebra
import Scoring
import SparseCoding
import TestSupport
import Testing
import Tokenization
import Training
import Vocabulary
import WorkflowWorlds

/// Firings on a text against indexing the same text as a corpus of one document.
@Suite struct FiringSearchTests {
    private let workers = Workers(threads: 2)

    private func trained(
        _ demo: DemoModel, _ architecture: Architecture = .route, layers: [Int]? = nil
    ) throws -> String {
        let path = demo.directory.file("c.sqlite")
        var settings = TrainingSettings(
            name: "d", model: DemoModel.path, text: [try demo.text()], layers: layers, latents: 96, k: 6,
            batchTokens: 64, steps: 6, context: 48, seed: 1)
        settings.architecture = architecture
        try train([settings], catalog: path)
        return path
    }

    @Test("Firings on a corpus's text equal its index", arguments: [Architecture.route, .random, .crosscoder])
    func theTextOfACorpusGivesItsStatistics(architecture: Architecture) throws {
        let demo = try DemoModel()
        let path = try trained(demo, architecture, layers: [1, 2, 3])
        // More than one batch, and more than one segment.
        let text = (0..<1500).map { "\($0). And Salah lived \($0 * 37 % 101) years, and begat Eber; " }.joined()
        #expect(demo.folder.tokenizer.encode(text, addSpecialTokens: false).count > 9000)
        let catalog = try Catalog.open(at: path, mode: .readWrite)
        defer { _ = try? catalog.close() }
        let result = try IndexingRun(
            settings: IndexingSettings(dictionary: "d", model: DemoModel.path, text: [try demo.text([text])]),
            workers: workers
        ).run(on: catalog)
        let search = try FiringSearch(
            text: text, model: DemoModel.path, dictionary: nil, in: catalog, workers: workers)
        var places: [TokenFirings] = []
        var reports: [Int] = []
        let found = try search.run(
            progress: { done, total in
                #expect(total == result.tokens)
                reports.append(done)
            }, eachToken: { places.append($0) })
        #expect(reports.count > 1 && reports.last == result.tokens)
        #expect(places.map(\.position) == Array(0..<result.tokens))
        #expect(places.map(\.token).joined() == text)

        let features = try catalog.features(result.key)
        #expect(found.map(\.featureIndex) == features.filter { $0.firedCount > 0 }.map(\.featureIndex))
        for firings in found {
            let feature = features[firings.featureIndex]
            #expect(firings.tokenCount == feature.firedCount)
            #expect(abs(firings.activation / (feature.maxActivation ?? .nan) - 1) < 1e-4)
            // The two views of one reading agree.
            let own = places.compactMap { place in
                place.firings.first { $0.featureIndex == firings.featureIndex }.map { (place, $0.activation) }
            }
            #expect(own.count == firings.tokenCount)
            let strongest = try #require(own.first { $0.1 == firings.activation })
            #expect(own.allSatisfy { $0.1 <= firings.activation })
            #expect(strongest.0.position == firings.position && strongest.0.token == firings.token)
            #expect(strongest.0.layer == firings.layer)
        }
        #expect(
            places.allSatisfy { place in
                zip(place.firings, place.firings.dropFirst()).allSatisfy { $0.activation >= $1.activation }
            })
        guard architecture != .crosscoder else {
            #expect(places.allSatisfy { $0.layer == nil && $0.routerWeight == nil })
            return
        }

        let routing = try catalog.layerRouting(dictionaryID: 1, runID: result.runID)
        for layer in routing {
            #expect(places.reduce(0) { $0 + ($1.layer == layer.layer ? 1 : 0) } == layer.tokenCount)
        }
        #expect(places.allSatisfy { ($0.routerWeight != nil) == (architecture == .route) })
    }

    @Test("With layers as samples every layer is a row") func everyLayerIsARowOfItsOwnWhereEachIsASample() throws {
        let demo = try DemoModel()
        let path = try trained(demo, .mlsae, layers: [1, 3, 6])
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        defer { _ = try? catalog.close() }
        var places: [TokenFirings] = []
        let found = try FiringSearch(
            text: "And Adam begat Seth.", model: DemoModel.path, dictionary: "d", in: catalog, workers: workers
        ).run(eachToken: { places.append($0) })
        let count = demo.folder.tokenizer.encode("And Adam begat Seth.", addSpecialTokens: false).count
        #expect(places.map(\.position) == (0..<count).flatMap { [$0, $0, $0] })
        #expect(places.map(\.layer) == (0..<count).flatMap { _ in [1, 3, 6] })
        #expect(!found.isEmpty)
        for firings in found {
            let own = places.filter { $0.firings.contains { $0.featureIndex == firings.featureIndex } }
            #expect(firings.tokenCount == Set(own.map(\.position)).count)
        }
        // The layers do not all say the same.
        #expect(places[0].firings != places[1].firings)
    }

    /// In an MLSAE each layer of a token is a sample; its index counts tokens, each where the feature is strongest.
    @Test("An MLSAE feature counts once per token") func aFeatureOfEveryLayerFiresOnATokenOnce() throws {
        let demo = try DemoModel()
        let path = try trained(demo, .mlsae, layers: [1, 3, 6])
        let text = "And Adam begat Seth; and the LORD said unto him, Take thee a wife."
        let catalog = try Catalog.open(at: path, mode: .readWrite)
        defer { _ = try? catalog.close() }
        let result = try IndexingRun(
            settings: IndexingSettings(model: DemoModel.path, text: [try demo.text([text])]), workers: workers
        ).run(on: catalog, replacing: true)
        var best: [Int: [Int: (layer: Int, activation: Float)]] = [:]
        _ = try FiringSearch(
            text: text, model: DemoModel.path, dictionary: "d", in: catalog, workers: workers
        ).run(
            eachToken: { place in
                for firing in place.firings {
                    let known = best[firing.featureIndex]?[place.position]
                    if known.map({ firing.activation > $0.activation }) ?? true {
                        best[firing.featureIndex, default: [:]][place.position] = (place.layer ?? -1, firing.activation)
                    }
                }
            })
        #expect(best.count > 3)
        for (feature, places) in best {
            let record = try catalog.feature(result.key, featureIndex: feature)
            #expect(record.firedCount == places.count)
            #expect(record.maxActivation == places.values.map(\.activation).max())
            for layer in try catalog.featureLayers(result.key, featureIndex: feature) {
                #expect(layer.firedCount == places.values.count { $0.layer == layer.layer })
            }
            for context in try catalog.contexts(result.key, featureIndex: feature) where context.activation > 0 {
                #expect(places[context.tokenPosition]?.layer == context.layer)
                #expect(places[context.tokenPosition]?.activation == context.activation)
            }
        }

        let routing = try catalog.layerRouting(dictionaryID: 1, runID: result.runID)
        #expect(routing.allSatisfy { $0.tokenCount == result.tokens && $0.meanRouterWeight == 1 })
        // Scored like any other.
        let scored = try ScoringRun(
            settings: ScoringSettings(model: DemoModel.path, sample: 3, minimumFirings: 2), workers: workers
        ).run(on: catalog)
        #expect(scored.records.count == 3)
        #expect(try catalog.verify() == [])
    }

    @Test("Invalid settings are refused") func whatMakesNoSenseIsRefused() throws {
        let demo = try DemoModel()
        let path = try trained(demo)
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        defer { _ = try? catalog.close() }
        #expect(throws: WorkflowError.self) {
            try FiringSearch(text: "", model: DemoModel.path, dictionary: nil, in: catalog, workers: workers)
        }

        #expect(throws: (any Error).self) {
            try FiringSearch(text: "a", model: demo.directory.path, dictionary: nil, in: catalog, workers: workers)
        }
        let stopped = try FiringSearch(
            text: "a", model: DemoModel.path, dictionary: nil, in: catalog, workers: workers)
        #expect(throws: WorkflowError.interrupted("the text was not read to its end")) {
            try stopped.run(cancelled: { true })
        }
    }
}
