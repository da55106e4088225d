import LinearAlgebra
import SparseCoding
import TestSupport
import Testing
import Vocabulary

/// A system as a test argument.
struct System: CustomTestStringConvertible, Sendable {
    let architecture: Architecture
    let fidelity: Fidelity
    let usesTopK: Bool
    var testDescription: String { "\(architecture)\(usesTopK ? " TopK" : "") \(fidelity)" }

    /// Every system without a router.
    static let unrouted: [System] = Fidelity.allCases.flatMap { fidelity in
        [Architecture.vanilla, .gated, .jumprelu, .crosscoder].map {
            System(architecture: $0, fidelity: fidelity, usesTopK: false)
        }
            + [Architecture.topk, .random, .mlsae, .crosscoder].map {
                System(architecture: $0, fidelity: fidelity, usesTopK: true)
            }
    }

    /// Every system.
    static let all =
        unrouted + Fidelity.allCases.map { System(architecture: .route, fidelity: $0, usesTopK: true) }

    func configuration(
        dModel: Int = 21, latents: Int = 70, k: Int = 6, layers: [Int]? = nil
    ) throws -> DictionaryConfiguration {
        try DictionaryConfiguration(
            architecture: architecture, dModel: dModel, latents: latents, k: usesTopK ? k : nil,
            layers: layers ?? (architecture.readsOneLayer ? [5] : [3, 5, 9]), fidelity: fidelity)
    }
}

/// Seeded weights in which every vector is at work.
func livelyWeights(_ configuration: DictionaryConfiguration, seed: UInt64) -> DictionaryWeights {
    let weights = DictionaryWeights(configuration, seed: seed, threshold: 0.2)
    var generator = CounterGenerator(seed: seed, stream: "lively")
    for (matrix, size) in [
        (weights.preBias, 0.2), (weights.latentBias, 0.2), (weights.gateBias, 0.3), (weights.magnitudeBias, 0.3),
        (weights.magnitudeScale, 0.4), (weights.threshold, 0.1),
    ] as [(Matrix, Float)] {
        for index in 0..<matrix.count { matrix.pointer[index] += size * (2 * generator.uniform() - 1) }
    }
    return weights
}

/// `randomBatch` with a draw key of its own for every token.
func keyedBatch(count: Int, layers: [Int], dModel: Int, seed: UInt64) -> ActivationBatch {
    let batch = randomBatch(count: count, layers: layers, dModel: dModel, seed: seed)
    for token in 0..<count { batch.drawKeys[token] = ActivationBatch.drawKey(document: Int(seed), position: token) }
    return batch
}

/// What every system without a router reads and encodes, against an fp64 oracle.
@Suite struct ArchitectureEncodingTests {
    struct Shape: CustomTestStringConvertible {
        var dModel = 21
        var latents = 70
        var k = 6
        /// More than a tile of tokens (64) and of samples (256).
        var count = 300
        var layers: [Int]?
        var testDescription: String { "\(dModel) × \(latents), \(count) tokens, k \(k)" }
    }

    static let shapes = [
        Shape(), Shape(dModel: 16, latents: 32, k: 1, count: 1), Shape(dModel: 5, latents: 9, k: 9, count: 70),
        Shape(dModel: 33, latents: 17, k: 2, count: 20, layers: [9]),
    ]

    private func row(_ matrix: Matrix, _ index: Int) -> [Float] {
        Array(UnsafeBufferPointer(start: matrix.row(index), count: matrix.columns))
    }

    private func floats(_ values: [Double]) -> [Float] { values.map { Float($0) } }

    @Test(arguments: System.unrouted, shapes) func followsTheOracle(system: System, shape: Shape) throws {
        let configuration = try system.configuration(
            dModel: shape.dModel, latents: shape.latents, k: shape.k, layers: shape.layers)
        let weights = livelyWeights(configuration, seed: 3)
        // More layers than the dictionary reads, which lie elsewhere than in its list.
        let batch = keyedBatch(count: shape.count, layers: [2, 3, 4, 5, 9], dModel: shape.dModel, seed: 4)
        let encoder = DictionaryEncoder(configuration: configuration, weights: weights, workers: Workers(threads: 2))
        let input = AutoencoderInput(capacity: shape.count, configuration: configuration)
        let latents = SparseLatents(capacity: shape.count, configuration: configuration)
        let perToken = system.architecture == .mlsae ? configuration.layers.count : 1
        #expect(input.samplesPerToken == perToken && latents.capacity == shape.count * perToken)
        try encoder.read(batch, into: input)
        encoder.encode(input, count: shape.count * perToken, into: latents)
        var read = Set<Int>()
        for token in 0..<shape.count {
            let oracles = NaiveDictionaryEncoding.samples(configuration, weights, batch, token: token)
            #expect(oracles.count == perToken)
            // Samples are token-major.
            for (place, oracle) in oracles.enumerated() {
                let sample = token * perToken + place
                compareInput(input, sample, oracle, configuration)
                compareLatents(latents, sample, oracle)
                let error = Matrix(rows: 1, columns: configuration.inputWidth)
                let square = encoder.reconstructionError(of: sample, input, latents, into: error.pointer)
                let expected = zip(oracle.reconstruction, oracle.u).map { $0 - $1 }
                expectClose(error.elements, floats(expected), relative: 1e-5, "û − u of \(sample)")
                expectClose([square], [Float(expected.reduce(0) { $0 + $1 * $1 })], relative: 1e-5, "‖û − u‖²")
                read.insert(oracle.layer)
            }
        }

        let isCrosscoder = system.architecture == .crosscoder
        if shape.count > 60 { #expect(read == (isCrosscoder ? [0] : Set(configuration.layers.indices))) }
    }

    private func compareInput(
        _ input: AutoencoderInput, _ sample: Int, _ oracle: NaiveDictionaryEncoding,
        _ configuration: DictionaryConfiguration
    ) {
        #expect(Int(input.selected[sample]) == oracle.layer && input.scale.pointer[sample] == 1)
        let isCrosscoder = configuration.architecture == .crosscoder
        let weights = configuration.layers.indices.map { isCrosscoder || $0 == oracle.layer ? Float(1) : 0 }
        #expect(row(input.probabilities, sample) == weights)
        // Standardising and subtracting round each number a few times.
        expectClose(row(input.centered, sample), floats(oracle.seen), relative: 4e-6, "input of \(sample)")
        let d = configuration.dModel
        let norms = stride(from: 0, to: oracle.u.count, by: d).map { start in
            oracle.u[start..<start + d].reduce(0) { $0 + $1 * $1 }
        }
        expectClose(row(input.squaredNorm, sample), floats(norms), relative: 4e-6, "‖u‖² of \(sample)")
    }

    private func compareLatents(_ latents: SparseLatents, _ sample: Int, _ oracle: NaiveDictionaryEncoding) {
        let count = Int(latents.counts[sample])
        let indices = (0..<count).map { Int(latents.indices(of: sample)[$0]) }
        let activations = (0..<count).map { latents.activations(of: sample)[$0] }
        guard oracle.margin > 3e-6 else {
            // Round-off may decide: the latents may differ by those at the edge, which contribute next to nothing.
            #expect(abs(count - oracle.active.count) <= 1)
            return
        }
        #expect(indices == oracle.active.map(\.latent), "latents of sample \(sample)")
        expectClose(activations, floats(oracle.active.map(\.activation)), relative: 5e-6, "z of \(sample)")
    }

    @Test(arguments: System.unrouted) func bitsDoNotDependOnTheThreads(system: System) throws {
        let configuration = try system.configuration()
        let weights = livelyWeights(configuration, seed: 8)
        let batch = keyedBatch(count: 600, layers: [3, 5, 9], dModel: 21, seed: 9)
        var first: [[UInt32]]?
        for threads in [1, 2, 3, 5] {
            let encoder = DictionaryEncoder(
                configuration: configuration, weights: weights, workers: Workers(threads: threads))
            let input = AutoencoderInput(capacity: 600, configuration: configuration)
            let latents = SparseLatents(capacity: 600, configuration: configuration)
            let samples = 600 * input.samplesPerToken
            try encoder.read(batch, into: input)
            encoder.encode(input, count: samples, into: latents)
            let bits =
                [input.centered, input.squaredNorm].map { $0.elements.map(\.bitPattern) }
                + (0..<samples).map { sample in
                    (0..<Int(latents.counts[sample])).flatMap { slot in
                        [UInt32(latents.indices(of: sample)[slot]), latents.activations(of: sample)[slot].bitPattern]
                    }
                }
            if let first { #expect(bits == first, "\(threads) threads") } else { first = bits }
        }
    }
}
