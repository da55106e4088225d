import ActivationPipeline
import CatalogMaintenance
import Evaluation
import FeatureCatalog
import Foundation
import LanguageModel
import LinearAlgebra
import SparseCoding
import TestSupport
import Testing
import Tokenization
import Training
import Vocabulary
import WorkflowWorlds

@Suite struct EvaluationRunTests {
    private let world: KeepingWorld
    private let workers = Workers(threads: 2)

    init() throws {
        world = try KeepingWorld()
    }

    /// A dictionary that reconstructs every activation exactly: latents for both signs of every dimension, all kept.
    private func exact(_ architecture: Architecture, routing: RoutingMode = .hard, fidelity: Fidelity = .corrected)
        throws -> (DictionaryConfiguration, DictionaryWeights)
    {
        let layers = architecture.readsOneLayer ? [2] : [1, 2, 4]
        let width = architecture == .crosscoder ? 3 * DemoModel.width : DemoModel.width
        let isSparseByK = ![.vanilla, .gated, .jumprelu].contains(architecture)
        let configuration = try DictionaryConfiguration(
            architecture: architecture, dModel: DemoModel.width, latents: 2 * width, k: isSparseByK ? 2 * width : nil,
            layers: layers, routing: routing, fidelity: fidelity)
        let weights = DictionaryWeights(configuration)
        for column in 0..<width {
            for (row, sign) in [(column, Float(1)), (column + width, -1)] {
                weights.encoder[row, column] = sign
                weights.decoder[row, column] = sign
            }
        }
        // Both signs are kept where nothing is rectified: each is half of the value.
        if isSparseByK, fidelity == .reference { for row in 0..<2 * width { weights.decoder[row, row % width] *= 0.5 } }
        // θ = exp(−80).
        if architecture == .jumprelu { weights.threshold.fill(-80) }
        for layer in 0..<weights.router.rows {
            for column in 0..<DemoModel.width {
                weights.router[layer, column] = Float((layer * 7 + column * 3) % 11) / 40 - 0.1
            }
        }
        return (configuration, weights)
    }

    static let kinds: [(Architecture, RoutingMode, Fidelity)] =
        Architecture.allCases.map { ($0, .hard, .corrected) } + [
            (.route, .soft, .corrected), (.route, .hard, .reference), (.route, .soft, .reference),
        ]

    /// Replacing an activation by itself changes nothing, to the bit.
    @Test("Substituting the exact activation changes nothing", arguments: kinds.indices)
    func theExactActivationChangesNothing(_ index: Int) throws {
        let (architecture, routing, fidelity) = Self.kinds[index]
        let (configuration, weights) = try exact(architecture, routing: routing, fidelity: fidelity)
        let folder = world.demo.folder
        let evaluation = DictionaryEvaluation(configuration, weights, dictionaryID: 1, runID: 1, workers: workers)
        let settings = EvaluationSettings(model: DemoModel.path, zeroEvery: 1, resamples: 10)
        let pass = EvaluationPass([evaluation], model: folder.model, settings: settings, workers: workers)
        for (document, text) in DemoModel.texts.enumerated() {
            let tokens = [folder.tokenizer.bosTokenID ?? 0] + folder.tokenizer.encode(text, addSpecialTokens: false)
            try pass.read([
                TokenSegment(document: document, index: 0, start: 0, tokens: Array(tokens.prefix(64)), prefix: 1)
            ])
        }

        let figures = try evaluation.figures(settings, corpusID: nil)
        func value(_ metric: String) -> Double? { figures.first { $0.metric == metric && $0.layer == nil }?.value }
        #expect(value("kl") == 0 && value("delta_ce") == 0 && value("recovered") == 1)
        #expect(value("norm_mse") == 0 && value("explained_variance") == 1)
        for metric in ["l2_ratio", "relative_reconstruction_bias"] {
            // A crosscoder's is the mean of its layers, by thirds.
            #expect(abs(try #require(value(metric)) - 1) < 1e-12)
        }
        #expect(try #require(value("ce_zero")) > (try #require(value("ce"))) + 1)
    }

    private func open<Value>(_ path: String, _ body: (Catalog) throws -> Value) throws -> Value {
        let catalog = try Catalog.open(at: path, mode: .readWrite)
        defer { _ = try? catalog.close() }
        return try body(catalog)
    }

    private func evaluate(_ path: String, _ settings: EvaluationSettings, dictionaries: [String] = []) throws
        -> [EvaluationRun.Result]
    {
        try open(path) {
            try EvaluationRun(settings: settings, dictionaries: dictionaries, workers: workers).run(on: $0)
        }
    }

    @Test("A text file and the catalog's corpus give the same figures, and these reproduce")
    func textAndCatalogGiveTheSameAndReproduce() throws {
        let path = try world.catalog("c.sqlite", indexedOn: [world.parts[0]], corpus: "one")
        var settings = EvaluationSettings(
            model: DemoModel.path, text: [world.parts[0]], corpus: "one", context: KeepingWorld.context, zeroEvery: 2,
            resamples: 50)
        let files = try #require(try evaluate(path, settings).first)
        settings.text = []
        let stored = try #require(try evaluate(path, settings).first)
        #expect(files.figures.map(\.value) == stored.figures.map(\.value))
        #expect(files.figures.map(\.low) == stored.figures.map(\.low))
        #expect(files.figures.map(\.corpusID) == stored.figures.map(\.corpusID))
        // What indexing found of the same tokens.
        let indexed = try open(path) { catalog in
            try catalog.rows(
                sql: """
                    SELECT value FROM run_metric JOIN indexing USING (run_id) WHERE name = 'explained_variance'
                    """
            ).rows[0][0]
        }
        guard case .real(let explained) = indexed else {
            Issue.record("\(indexed)")
            return
        }

        let own = try #require(files.figures.first { $0.metric == "explained_variance" && $0.layer == nil }?.value)
        #expect(abs(own - explained) < 1e-4)
        try open(path) { catalog in
            #expect(try catalog.evaluations(dictionaryID: 1, runID: files.runID).count == files.figures.count)
            for run in [files.runID, stored.runID] {
                let comparisons = try Reproduction(
                    settings: .init(runID: run, scratch: world.demo.directory.file("scratch\(run).sqlite")),
                    workers: workers
                ).run(on: catalog)
                #expect(!comparisons.isEmpty && comparisons.allSatisfy(\.isSame), "\(comparisons)")
            }
            #expect(try catalog.verify() == [])
        }
    }

    @Test("Dictionaries evaluated together equal those evaluated alone") func dictionariesTogetherAreAsAlone() throws {
        let path = world.demo.directory.file("two.sqlite")
        let kinds: [(Architecture, Int?, [Int])] = [(.route, 4, [1, 3]), (.topk, 4, [2]), (.mlsae, 4, [1, 3])]
        try train(
            kinds.map { kind in
                TrainingSettings(
                    name: "\(kind.0)", architecture: kind.0, model: DemoModel.path, text: [world.parts[0]],
                    layers: kind.2, latents: 64, k: kind.1, batchTokens: 64, steps: 4, context: 48, seed: 2)
            }, catalog: path)
        let settings = EvaluationSettings(
            model: DemoModel.path, text: [world.parts[1]], maximumTokens: 400, context: 48, resamples: 20)
        let together = try evaluate(path, settings, dictionaries: ["route", "topk", "mlsae"])
        #expect(together.map(\.dictionary.name) == ["route", "topk", "mlsae"])
        for result in together {
            let alone = try #require(try evaluate(path, settings, dictionaries: [result.dictionary.name]).first)
            #expect(alone.figures.map(\.value) == result.figures.map(\.value))
            #expect(result.figures.first { $0.metric == "kl" }?.tokenCount == 400)
        }
    }

    @Test func whatCannotBeEvaluatedIsRefused() throws {
        let path = try world.catalog("c.sqlite", indexedOn: [world.parts[0]], corpus: "one")
        func refusal(_ settings: EvaluationSettings, dictionaries: [String] = []) -> String {
            do {
                _ = try evaluate(path, settings, dictionaries: dictionaries)
                return "it was done"
            } catch { return "\(error)" }
        }

        let model = DemoModel.path
        #expect(refusal(EvaluationSettings(model: model, corpus: "two")).contains("no corpus \"two\""))
        #expect(refusal(EvaluationSettings(model: model, zeroEvery: 0)).contains("`zeroEvery`"))
        #expect(refusal(EvaluationSettings(model: model, maximumTokens: 0)).contains("`maximumTokens`"))
        #expect(refusal(EvaluationSettings(model: model), dictionaries: ["nobody"]).contains("nobody"))
        #expect(refusal(EvaluationSettings(model: model + "x")).contains("model folder"))
        let bare = world.demo.directory.file("bare.sqlite")
        try train(
            [
                TrainingSettings(
                    name: "d", model: model, text: [world.parts[0]], latents: 32, k: 2, batchTokens: 64, steps: 2,
                    context: 48, seed: 1)
            ], catalog: bare)
        #expect(throws: WorkflowError.self) { try evaluate(bare, EvaluationSettings(model: model)) }
        // Another model: the same shape, other weights.
        let other = world.demo.directory.file("model")
        try DemoModel.copyOtherwise(to: other)
        #expect(refusal(EvaluationSettings(model: other)).contains("is not the model"))
        // None of it left a run that is still running, or a figure.
        try open(path) { catalog in
            for table in ["evaluation", "run WHERE kind = 'evaluate'"] {
                let count = try catalog.rows(sql: "SELECT count(*) FROM \(table)").rows
                #expect(count == [[.integer(0)]])
            }
            #expect(throws: WorkflowError.self) {
                try EvaluationRun(settings: EvaluationSettings(model: model), workers: workers)
                    .run(on: catalog, cancelled: { true })
            }

            let statuses = try catalog.rows(sql: "SELECT status FROM run WHERE kind = 'evaluate'").rows
            #expect(statuses == [[.text("interrupted")]])
        }
    }
}
