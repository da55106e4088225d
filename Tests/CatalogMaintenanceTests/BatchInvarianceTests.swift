import ActivationPipeline
import Evaluation
import FeatureCatalog
import Foundation
import Indexing
import LanguageModel
import LinearAlgebra
import SparseCoding
import TestSupport
import Testing
import Tokenization
import Vocabulary
import WorkflowWorlds

/// The contents of a catalog do not depend on how the work was divided.
@Suite struct BatchInvarianceTests {
    private let world: KeepingWorld

    init() throws {
        world = try KeepingWorld()
    }

    /// All rows of an index, by batches of various sizes and numbers of threads.
    @Test func indexesDoNotDependOnTheBatches() throws {
        let whole = try world.catalog("whole.sqlite", indexedOn: world.parts, corpus: "all")
        let key = IndexingKey(dictionaryID: 1, corpusID: 1)
        let expected = try world.read(whole) { try $0.contentDigests(of: key) }
        var generator = CounterGenerator(seed: 4, stream: "cuts")
        for round in 0..<6 {
            let path = try world.trainedCatalog("cut\(round).sqlite")
            let catalog = try Catalog.open(at: path, mode: .readWrite)
            var run = IndexingRun(
                settings: world.settings(world.parts, corpus: "all"),
                workers: Workers(threads: 1 + generator.index(below: 4)))
            run.batchTokens = [1, 48, 100, 1000][generator.index(below: 4)] + generator.index(below: 60)
            _ = try run.run(on: catalog)
            _ = try catalog.close()
            let digests = try world.read(path) { try $0.contentDigests(of: key) }
            #expect(
                digests.elementsEqual(expected, by: ==), "batches of \(run.batchTokens), \(run.workers.count) threads")
        }
    }

    /// Latents of some rows equal those of the same rows among others.
    @Test(arguments: Architecture.allCases) func latentsDoNotDependOnTheBatch(_ architecture: Architecture) throws {
        let isSparseByK = ![.vanilla, .gated, .jumprelu].contains(architecture)
        let configuration = try DictionaryConfiguration(
            architecture: architecture, dModel: 37, latents: 301, k: isSparseByK ? 9 : nil,
            layers: architecture.readsOneLayer ? [1] : [0, 1, 2])
        let weights = DictionaryWeights(configuration, seed: 3)
        var generator = CounterGenerator(seed: 8, stream: "rows")
        let layers = configuration.layers
        let batch = ActivationBatch(capacity: 700, layers: layers, dModel: 37)
        batch.count = 700
        for index in 0..<700 * 37 * layers.count { batch.values.pointer[index] = generator.uniform() * 4 - 2 }
        for row in 0..<700 { batch.drawKeys[row] = generator.next() }

        func latents(_ rows: Range<Int>, threads: Int) throws -> [[UInt32]] {
            let part = ActivationBatch(capacity: rows.count, layers: layers, dModel: 37)
            part.count = rows.count
            let width = part.values.columns
            part.values.pointer.update(from: batch.values.row(rows.lowerBound), count: rows.count * width)
            for row in rows { part.drawKeys[row - rows.lowerBound] = batch.drawKeys[row] }
            let encoder = DictionaryEncoder(
                configuration: configuration, weights: weights, workers: Workers(threads: threads))
            let input = AutoencoderInput(capacity: rows.count, configuration: configuration)
            try encoder.read(part, into: input)
            let samples = rows.count * configuration.samplesPerToken
            let latents = SparseLatents(capacity: rows.count, configuration: configuration)
            encoder.encode(input, count: samples, into: latents)
            return (0..<samples).map { sample in
                let count = Int(latents.counts[sample])
                return (0..<count).flatMap { slot in
                    [
                        UInt32(bitPattern: latents.indices(of: sample)[slot]),
                        latents.activations(of: sample)[slot].bitPattern,
                    ]
                }
            }
        }

        let whole = try latents(0..<700, threads: 2)
        let each = configuration.samplesPerToken
        for _ in 0..<20 {
            let first = generator.index(below: 700)
            let rows = first..<first + 1 + generator.index(below: min(700 - first, 300))
            let part = try latents(rows, threads: 1 + generator.index(below: 3))
            #expect(part == Array(whole[rows.lowerBound * each..<rows.upperBound * each]), "rows \(rows)")
        }
    }

    /// Every figure of an evaluation, with segments grouped in many ways.
    @Test func evaluationsDoNotDependOnTheBatches() throws {
        let folder = world.demo.folder
        let layers = [1, 2, 4]
        let dictionaries = try [Architecture.route, .topk, .crosscoder, .vanilla].map { architecture in
            let configuration = try DictionaryConfiguration(
                architecture: architecture, dModel: DemoModel.width, latents: 256,
                k: architecture == .vanilla ? nil : 16,
                layers: architecture.readsOneLayer ? [2] : layers)
            return (configuration, DictionaryWeights(configuration, seed: 5))
        }

        let settings = EvaluationSettings(model: DemoModel.path, zeroEvery: 3, resamples: 20)
        var segments: [TokenSegment] = []
        for (document, text) in (DemoModel.texts + DemoModel.texts.map { $0 + " And so on." }).enumerated() {
            let tokens = folder.tokenizer.encode(text, addSpecialTokens: false)
            for (index, start) in stride(from: 0, to: tokens.count, by: 40).enumerated() {
                segments.append(
                    TokenSegment(
                        document: document, index: index, start: start,
                        tokens: [folder.tokenizer.bosTokenID ?? 0] + tokens[start..<min(start + 40, tokens.count)],
                        prefix: 1))
            }
        }

        func figures(_ cuts: [Int], threads: Int) throws -> [[EvaluationRecord]] {
            let workers = Workers(threads: threads)
            let evaluations = dictionaries.map {
                DictionaryEvaluation($0, $1, dictionaryID: 1, runID: 1, workers: workers)
            }

            let pass = EvaluationPass(evaluations, model: folder.model, settings: settings, workers: workers)
            for (from, to) in zip([0] + cuts, cuts + [segments.count]) where from < to {
                try pass.read(Array(segments[from..<to]))
            }
            return try evaluations.map { try $0.figures(settings, corpusID: nil) }
        }

        let whole = try figures([], threads: 2)
        var generator = CounterGenerator(seed: 6, stream: "cuts")
        for _ in 0..<8 {
            let cuts = (1..<segments.count).filter { _ in generator.index(below: 3) == 0 }
            #expect(try figures(cuts, threads: 1 + generator.index(below: 3)) == whole, "cut at \(cuts)")
        }
        #expect(try figures(Array(1..<segments.count), threads: 1) == whole)
    }
}
