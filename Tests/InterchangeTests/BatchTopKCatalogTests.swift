import ActivationPipeline
import DictionaryExchange
import Evaluation
import FeatureCatalog
import Foundation
import Interchange
import LinearAlgebra
import Safetensors
import SparseCoding
import SparseTraining
import TestSupport
import Testing
import Training
import Vocabulary
import WorkflowWorlds

/// Dictionaries with one threshold, trained here, in everything that is done with a dictionary.
@Suite struct BatchTopKCatalogTests {
    static let architectures = [Architecture.topk, .route, .random]

    private let tiny: TinyModel

    init() throws { tiny = try TinyModel() }

    private func file(_ name: String) -> String { tiny.directory.file(name) }

    private func trained(_ architecture: Architecture, prefixes: [Int]? = nil, soft: Bool = false) throws -> String {
        var settings = tiny.settings
        settings.shape.architecture = architecture
        settings.shape.sparsity = .batchtopk
        settings.choices.prefixes = prefixes
        settings.stream.steps = 12
        if soft { settings.shape.routing = .soft }
        if architecture.readsOneLayer { settings.shape.layers = [1] }
        let path = file("\(architecture)-\(prefixes?.count ?? 0)-\(soft).sqlite")
        try train([settings], catalog: path)
        return path
    }

    @Test("A catalog holds one threshold, and every verb uses it", arguments: architectures, [nil, [4, 16]])
    func everyVerb(architecture: Architecture, prefixes: [Int]?) throws {
        let path = try trained(architecture, prefixes: prefixes)
        try tiny.index(path, corpus: "one")
        try tiny.open(path) { catalog in
            let stored = try StoredDictionary(named: nil, in: catalog)
            #expect(stored.record.architecture == (architecture == .topk ? .jumprelu : architecture))
            #expect(stored.record.k == nil && stored.configuration.thresholdForm == .shared)
            #expect(stored.configuration.subtractsPreBias)
            #expect(stored.weights.threshold.count == 1 && stored.weights.threshold.pointer[0] > 0)
            #expect(try catalog.verify().isEmpty)
            let config = try #require(
                try JSONSerialization.jsonObject(with: Data(stored.record.configJSON.utf8)) as? [String: Any])
            let training = try #require(config["training"] as? [String: Any])
            #expect(training["batchK"] as? Int == 2)
            #expect(training["prefixes"] as? [Int] == prefixes.map { $0 + [32] })

            // Active latents on the mean are near the k of training, on the text that it learned from.
            let results = try EvaluationRun(
                settings: EvaluationSettings(model: tiny.path, text: [tiny.text]), workers: Workers(threads: 2)
            ).run(on: catalog)
            let active = try #require(results[0].figures.first { $0.metric == "l0" && $0.layer == nil }?.value)
            #expect((1...4).contains(active), "\(active)")
        }
    }

    @Test("Exported for SAELens and imported again they compute the same", arguments: architectures, [false, true])
    func thereAndBack(architecture: Architecture, soft: Bool) throws {
        guard !soft || architecture == .route else { return }
        let path = try trained(architecture, soft: soft)
        let original = try tiny.open(path) { catalog in
            _ = try ExportRun(dictionary: nil, folder: file("sae"), format: .saelens).run(from: catalog)
            #expect(throws: ExportRefusal.self) {
                try ExportRun(dictionary: nil, folder: file("sparsify"), format: .sparsify).run(from: catalog)
            }
            return try StoredDictionary(named: nil, in: catalog)
        }
        // A random's layers are written one by one; each is this dictionary at one layer.
        let folder = architecture == .random ? file("sae/layer_1") : file("sae")
        let catalog = try Catalog.create(at: file("again.sqlite"), replacing: true)
        defer { _ = try? catalog.close() }
        _ = try ImportRun(ImportSettings(path: folder), workers: Workers(threads: 1)).run(into: catalog)
        let again = try StoredDictionary(named: nil, in: catalog)
        #expect(try catalog.verify().isEmpty)
        for (name, weights) in [("encoder", \DictionaryWeights.encoder), ("decoder", \.decoder)] {
            #expect(again.weights[keyPath: weights].elements == original.weights[keyPath: weights].elements, "\(name)")
        }
        if architecture == .route {
            #expect(again.configuration == original.configuration)
            #expect(again.weights.threshold.elements == original.weights.threshold.elements)
            #expect(again.weights.router.elements == original.weights.router.elements)
        } else {
            #expect(again.configuration.architecture == .jumprelu && again.configuration.subtractsPreBias)
            let theta = original.weights.threshold.pointer[0]
            #expect(again.weights.threshold.elements == Array(repeating: theta, count: 32))
        }
    }

    /// A JumpReLU of one layer by the formula, from the weights in the catalog.
    @Test func latentsAreThoseAboveTheThreshold() throws {
        let path = try trained(.topk)
        try tiny.open(path) { catalog in
            let stored = try StoredDictionary(named: nil, in: catalog)
            let (weights, theta) = (stored.weights, stored.weights.threshold.pointer[0])
            let batch = ActivationBatch(capacity: 50, layers: [1], dModel: 16)
            var generator = CounterGenerator(seed: 3)
            for index in 0..<batch.values.count { batch.values.pointer[index] = 4 * generator.uniform() - 2 }
            batch.count = 50
            let input = AutoencoderInput(capacity: 50, configuration: stored.configuration)
            let latents = SparseLatents(capacity: 50, configuration: stored.configuration)
            let encoder = DictionaryEncoder(
                configuration: stored.configuration, weights: weights, workers: Workers(threads: 2))
            try encoder.read(batch, into: input)
            encoder.encode(input, count: 50, into: latents)
            for token in 0..<50 {
                var expected: [Int] = []
                for latent in 0..<32 {
                    let product = (0..<16).reduce(Double(weights.latentBias.pointer[latent])) {
                        $0 + Double(weights.encoder[latent, $1]) * Double(input.centered[token, $1])
                    }
                    #expect(abs(product - Double(theta)) > 1e-6)
                    if product > Double(theta) { expected.append(latent) }
                }
                let count = Int(latents.counts[token])
                #expect((0..<count).map { Int(latents.indices(of: token)[$0]) } == expected)
            }
        }
    }
}
