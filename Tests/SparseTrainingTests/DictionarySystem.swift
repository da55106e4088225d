import LinearAlgebra
import SparseCoding
import SparseTraining
import Testing
import Vocabulary

/// A system as a test argument: an architecture, with or without k, under one of the two accounts.
struct DictionarySystem: CustomTestStringConvertible, Sendable {
    let architecture: Architecture
    let fidelity: Fidelity
    let usesTopK: Bool
    /// Of one with a penalty: whether its steps follow only the latents within reach, however many they are, or all.
    var followsReached = false

    var testDescription: String {
        "\(architecture)\(usesTopK ? " TopK" : "") \(fidelity)\(followsReached ? " by reach" : "")"
    }

    private static func all(
        _ architectures: [Architecture], topK: Bool, reached: Bool = false
    ) -> [DictionarySystem] {
        architectures.flatMap { architecture in
            Fidelity.allCases.map {
                DictionarySystem(architecture: architecture, fidelity: $0, usesTopK: topK, followsReached: reached)
            }
        }
    }

    private static let withPenalty: [Architecture] = [.vanilla, .gated, .jumprelu, .crosscoder]
    /// Those that a penalty keeps sparse, by both kinds of steps.
    static let penalised = all(withPenalty, topK: false) + all(withPenalty, topK: false, reached: true)
    /// Those of k latents without a router.
    static let topK = all([.topk, .random, .mlsae, .crosscoder], topK: true)

    /// The layers it reads: three, or one.
    var layers: [Int] { architecture.readsOneLayer ? [3] : [2, 3, 5] }

    func configuration(dModel: Int, latents: Int, k: Int = 3, layers: [Int]? = nil) throws -> DictionaryConfiguration {
        try DictionaryConfiguration(
            architecture: architecture, dModel: dModel, latents: latents, k: usesTopK ? k : nil,
            layers: layers ?? self.layers, fidelity: fidelity)
    }
}

extension DictionarySystem {
    /// The trainer that continues from a state, by this system's kind of steps.
    func trainer(_ state: TrainerState, _ options: TrainingOptions, workers: Workers) -> any DictionaryTrainer {
        guard options.sparsity != nil else { return state.trainer(options, workers: workers) }
        return PenaltyTrainer(
            state: state, options: options, workers: workers, largestShare: followsReached ? 1 : -1)
    }
}

/// `randomBatch` with a draw key of its own for every token.
func keyedBatch(count: Int, layers: [Int] = [2, 3, 4, 5], dModel: Int, seed: UInt64) -> ActivationBatch {
    let batch = randomBatch(count: count, layers: layers, dModel: dModel, seed: seed)
    for token in 0..<count { batch.drawKeys[token] = ActivationBatch.drawKey(document: Int(seed), position: token) }
    return batch
}

/// Seeded weights in which every vector is at work: half the latents fire, gates and magnitudes disagree here and there,
/// and thresholds differ.
func livelyWeights(_ configuration: DictionaryConfiguration, seed: UInt64) -> DictionaryWeights {
    let weights = DictionaryWeights(configuration, seed: seed, threshold: 0.2)
    var generator = CounterGenerator(seed: seed, stream: "lively")
    func spread(_ matrix: Matrix, _ size: Float) {
        for index in 0..<matrix.count { matrix.pointer[index] += size * (2 * generator.uniform() - 1) }
    }
    spread(weights.preBias, 0.2)
    spread(weights.latentBias, 0.2)
    spread(weights.gateBias, 0.3)
    spread(weights.magnitudeBias, 0.3)
    spread(weights.magnitudeScale, 0.4)
    spread(weights.threshold, configuration.fidelity == .corrected ? 0.5 : 0.1)
    return weights
}

/// A trainer on lively weights.
func livelyTrainer(
    _ system: DictionarySystem, _ configuration: DictionaryConfiguration, _ options: TrainingOptions, seed: UInt64,
    threads: Int = 2
) -> any DictionaryTrainer {
    let workers = Workers(threads: threads)
    let state = TrainerState(
        configuration, options: options, weights: livelyWeights(configuration, seed: seed), workers: workers)
    return system.trainer(state, options, workers: workers)
}
