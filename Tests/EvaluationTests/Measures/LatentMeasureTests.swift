import ActivationPipeline
import CatalogMaintenance
import Evaluation
import FeatureCatalog
import Foundation
import LinearAlgebra
import TestSupport
import Testing
import Training
import Vocabulary
import WorkflowWorlds

/// Coverage, census, probing and coherence of dictionaries of the shipped model, from the catalog to its figures.
@Suite struct LatentMeasureTests {
    private let world: KeepingWorld
    private let path: String
    private static let layers = [3, 5]

    init() throws {
        world = try KeepingWorld()
        path = world.demo.directory.file("measured.sqlite")
        func settings(_ name: String, _ architecture: Architecture, _ layers: [Int], seed: UInt64) -> TrainingSettings {
            TrainingSettings(
                name: name, architecture: architecture, model: DemoModel.path, text: [world.parts[0]], layers: layers,
                latents: 64, k: 4, batchTokens: 64, steps: 6, context: KeepingWorld.context, seed: seed, streamSeed: 9)
        }
        try MadeOnce.catalog("measured dictionaries", at: path) { path in
            try train(
                [settings("route", .route, Self.layers, seed: 1), settings("random", .random, Self.layers, seed: 1)]
                    + [
                        settings("topk 3", .topk, [3], seed: 2), settings("topk 5", .topk, [5], seed: 3),
                        settings("topk 5 twin", .topk, [5], seed: 2),
                    ], catalog: path)
        }
    }

    private func open<Value>(_ body: (Catalog) throws -> Value) throws -> Value {
        let catalog = try Catalog.open(at: path, mode: .readWrite)
        defer { _ = try? catalog.close() }
        return try body(catalog)
    }

    private func settings(_ measures: [Measure], labels: [TextLabel]? = [.part, .tokenClass]) -> EvaluationSettings {
        EvaluationSettings(
            model: DemoModel.path, text: world.parts, context: KeepingWorld.context, resamples: 30,
            measures: measures, labels: labels)
    }

    private func evaluate(
        _ settings: EvaluationSettings, _ dictionaries: [String] = ["route"], threads: Int = 2,
        remark: (String) -> Void = { _ in }
    ) throws -> [EvaluationRun.Result] {
        try open {
            try EvaluationRun(settings: settings, dictionaries: dictionaries, workers: Workers(threads: threads))
                .run(on: $0, remark: remark)
        }
    }

    @Test("All measures are stored, with baselines, and reproduce to the bit") func storedAndReproduced() throws {
        let result = try #require(try evaluate(settings(Measure.allCases)).first)
        let metrics = Set(result.figures.map(\.metric))
        #expect(
            metrics.isSuperset(of: [
                "kl", "coverage", "coverage_min", "coverage_baseline", "census", "census_cosine", "census_baseline",
                "probe_part_k1", "probe_token_class_k5", "probe_token_class_baseline", "coherence",
                "coherence_baseline", "spanning_share",
            ]), "\(metrics)")
        for layer in Self.layers {
            #expect(result.figures.contains { $0.metric == "coverage" && $0.layer == layer && $0.value != nil })
            #expect(result.figures.contains { $0.metric == "census" && $0.layer == layer && $0.value != nil })
        }
        let comparisons = try open { catalog in
            #expect(try catalog.evaluations(dictionaryID: 1, runID: result.runID).count == result.figures.count)
            return try Reproduction(
                settings: Reproduction.Settings(runID: result.runID), workers: Workers(threads: 3)
            ).run(on: catalog)
        }
        #expect(!comparisons.isEmpty)
        for comparison in comparisons { #expect(comparison.isSame, "\(comparison)") }
    }

    @Test("Threads and the company of other dictionaries change no bit") func threadsAndCompanyChangeNoBit() throws {
        let measures: [Measure] = [.coverage, .census, .probing, .coherence]
        let together = try evaluate(settings(measures), ["route", "topk 3", "random"], threads: 3)
        for result in together {
            let alone = try #require(try evaluate(settings(measures), [result.dictionary.name], threads: 1).first)
            #expect(alone.figures.map(\.metric) == result.figures.map(\.metric))
            #expect(alone.figures.map(\.value) == result.figures.map(\.value))
            #expect(alone.figures.map(\.low) == result.figures.map(\.low))
        }
        // Of a dictionary of one layer only other layers' features count.
        let single = try #require(together.first { $0.dictionary.name == "topk 3" }?.figures)
        #expect(!single.contains { $0.metric == "census" && $0.layer == 3 })
        #expect(!single.contains { $0.metric == "coherence" })
        let value = { (layer: Int?) in single.first { $0.metric == "census" && $0.layer == layer }?.value }
        #expect(value(nil) == value(5) && value(5) != nil)
    }

    @Test("A census without its dictionaries names them and the command that makes them") func missingDictionaries()
        throws
    {
        var wide = settings([.census])
        wide.layers = [3, 4, 5, 6]
        do {
            _ = try evaluate(wide)
            Issue.record("it was done")
        } catch let error as WorkflowError {
            guard case .badInput = error else { throw error }
            let line = "\(error)"
            for part in [
                "layers 4, 6", "64 latents", "k 4", "384 training tokens", "for layer in 4 6;", "routesae train",
                "`architecture` topk `layers` $layer", "`seed` 2", world.parts[0],
            ] {
                #expect(line.contains(part), "\(part): \(line)")
            }
        }
        let runs = try open { try $0.rows(sql: "SELECT count(*) FROM run WHERE kind = 'evaluate'").rows }
        #expect(runs == [[.integer(0)]])
    }

    @Test("A census against dictionaries of the same seed warns and is called so") func sameSeed() throws {
        var remarks: [String] = []
        let known = world.demo.directory.file("same.sqlite")
        try FileManager.default.copyItem(atPath: path, toPath: known)
        let catalog = try Catalog.open(at: known, mode: .readWrite)
        defer { _ = try? catalog.close() }
        var named = settings([.census])
        // A census of one of layer 3 by one of layer 5 from the same weights.
        named.union = ["topk 5 twin"]
        named.layers = [5]
        let result = try EvaluationRun(settings: named, dictionaries: ["topk 3"], workers: Workers(threads: 2))
            .run(on: catalog, remark: { remarks.append($0) })
        #expect(remarks.contains { $0.contains("start from the same weights") })
        let metrics = Set(try #require(result.first).figures.map(\.metric))
        #expect(metrics.contains("census_same_seed") && !metrics.contains("census"))
    }

    @Test("A label with one class is bad input") func oneClass() throws {
        var one = settings([.probing], labels: [.source])
        one.text = [world.parts[0]]
        do {
            _ = try evaluate(one)
            Issue.record("it was done")
        } catch let error as WorkflowError {
            guard case .badInput = error else { throw error }
            #expect("\(error)".contains("fewer than two classes") && "\(error)".contains("part0.jsonl"))
        }
    }

    @Test("A drawn order takes other documents, and the same every time") func drawnOrder() throws {
        var drawn = settings([.coverage])
        drawn.maximumTokens = 300
        let inOrder = try #require(try evaluate(drawn).first).figures.map(\.value)
        drawn.shuffle = true
        let one = try #require(try evaluate(drawn).first).figures.map(\.value)
        let again = try #require(try evaluate(drawn).first).figures.map(\.value)
        #expect(again == one)
        #expect(one != inOrder)
    }
}
