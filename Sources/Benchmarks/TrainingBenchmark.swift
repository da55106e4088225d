import ActivationPipeline
package import LinearAlgebra
import SparseCoding
import SparseTraining
import Training
package import Vocabulary

/// Measures a training step, and indexing, against the dense product of the encoder.
package struct TrainingBenchmark: Sendable {
    /// Which system is trained.
    package var architecture: Architecture
    /// Width of the residual stream.
    package var dModel: Int
    /// m.
    package var latents: Int
    /// k; nil for an architecture that a penalty keeps sparse.
    package var k: Int?
    /// Layers that a token has; an architecture that reads one reads the first.
    package var layers: Int
    /// Tokens of a step.
    package var tokens: Int
    /// How often both are timed; the medians count.
    package var repeats: Int
    /// Part of the latents that never fire, so that AuxK has something to do.
    package var deadShare: Double
    /// Latents that fire on a sample at the start, of an architecture that a penalty keeps sparse; nil for its usual
    /// start, with half of them.
    package var l0: Double?
    /// What the encoder's product takes, in the step and alone.
    package var precision: Precision

    /// Describes a benchmark.
    package init(
        architecture: Architecture = .route, dModel: Int, latents: Int, k: Int?, layers: Int, tokens: Int,
        repeats: Int = 5, deadShare: Double = 0, l0: Double? = nil, precision: Precision = .f32
    ) {
        self.l0 = l0
        self.precision = precision
        self.architecture = architecture
        self.dModel = dModel
        self.latents = latents
        self.k = k
        self.layers = layers
        self.tokens = tokens
        self.repeats = repeats
        self.deadShare = deadShare
    }

    /// The measurements.
    package struct Result: Sendable, Encodable {
        /// Median seconds of a whole step: routing, encoding, decoding, gradients, Adam, AuxK where latents are dead.
        package let stepSeconds: Double
        /// Median seconds of the dense product [samples × D] · [D × latents] alone, same threads, same run.
        package let encodeGemmSeconds: Double
        /// The first over the second.
        package let ratio: Double
        /// Tokens trained on in a second.
        package let tokensPerSecond: Double
        /// Latents that fired on a sample at the last step.
        package let l0: Double
    }

    func configuration() throws -> DictionaryConfiguration {
        try DictionaryConfiguration(
            architecture: architecture, dModel: dModel, latents: latents, k: k,
            layers: Array(0..<(architecture.readsOneLayer ? 1 : layers)))
    }

    private func options(_ configuration: DictionaryConfiguration) throws -> TrainingOptions {
        try TrainingOptions(
            configuration, batchTokens: tokens, steps: max(10 * repeats, 100),
            choices: .init { $0.deadAfterTokens = deadShare > 0 ? 2 * tokens : nil })
    }

    /// Times steps on standard normal activations; steps and products alternate.
    ///
    /// - Throws: `SparseCodingError.setting` for sizes out of range.
    package func run(workers: Workers, progress: (_ done: Int, _ total: Int) -> Void) throws -> Result {
        let configuration = try configuration()
        let batch = randomBatch(workers)
        let weights = try initialWeights(configuration, on: batch, workers: workers)
        let options = try options(configuration)
        let trainer = TrainerState(configuration, options: options, weights: weights, workers: workers)
            .trainer(options, workers: workers, precision: precision)
        let product = BareProduct(
            of: batch, with: trainer.state.weights.encoder, rows: tokens * configuration.samplesPerToken,
            precision: precision, workers: workers)
        let clock = ContinuousClock()
        var steps: [Double] = []
        var products: [Double] = []
        var l0: Float = 0
        // The first rounds warm caches and pages up, let latents die, and do not count.
        let warmup = deadShare > 0 ? 3 : 1
        for round in 0..<repeats + warmup {
            let multiply = clock.measure { product.multiply(by: workers) }
            let step = try clock.measure { l0 = try trainer.step(batch).l0 }
            if round >= warmup {
                products.append(multiply / .seconds(1))
                steps.append(step / .seconds(1))
            }
            progress(round + 1, repeats + warmup)
        }

        let step = median(steps)
        let gemm = median(products)
        return Result(
            stepSeconds: step, encodeGemmSeconds: gemm, ratio: step / gemm, tokensPerSecond: Double(tokens) / step,
            l0: Double(l0))
    }

    /// The peak memory of training, predicted by `TrainingMemory` and measured by the kernel.
    package struct Memory: Sendable, Encodable {
        /// By the formula, with what a process of this kind holds anyway.
        package let predictedBytes: Int
        /// `VmHWM` after some steps.
        package let peakResidentBytes: Int
    }

    /// Trains a few steps and nothing else, and compares memory with its formula.
    ///
    /// - Throws: `WorkflowError.refused` where the machine has less; `SparseCodingError.setting`.
    package func memory(workers: Workers, progress: (_ done: Int, _ total: Int) -> Void) throws -> Memory {
        let configuration = try configuration()
        let options = try options(configuration)
        let base = ForwardBenchmark.peakResidentBytes()
        let floats =
            TrainingMemory.floats(configuration, options, workers, deadShare: deadShare, precision: precision)
            + Double(tokens) * Double(layers) * Double(dModel)
        try MemoryBudget.machine.check(
            floats: floats, for: "this benchmark", advice: "take fewer `latents` or `tokens`")
        let batch = randomBatch(workers)
        let weights = try initialWeights(configuration, on: batch, workers: workers)
        let trainer = TrainerState(configuration, options: options, weights: weights, workers: workers)
            .trainer(options, workers: workers, precision: precision)
        for round in 0..<repeats {
            try trainer.step(batch)
            progress(round + 1, repeats)
        }
        return Memory(
            predictedBytes: base + Int(4 * floats), peakResidentBytes: ForwardBenchmark.peakResidentBytes())
    }

    func randomBatch(_ workers: Workers) -> ActivationBatch {
        let batch = ActivationBatch(capacity: tokens, layers: Array(0..<layers), dModel: dModel)
        workers.forEach(tokens, tile: 64) { rows, _ in
            var generator = CounterGenerator(seed: UInt64(rows.lowerBound), stream: "benchmark")
            for row in rows {
                for column in 0..<batch.values.columns {
                    // A sum of uniforms is close enough to normal here.
                    let sum = (0..<4).reduce(Float(0)) { sum, _ in sum + generator.uniform() }
                    batch.values.row(row)[column] = (sum - 2) * 1.7320508
                }
            }
        }
        for row in 0..<tokens { batch.drawKeys[row] = ActivationBatch.drawKey(document: 0, position: row) }
        batch.count = tokens
        return batch
    }
}

/// The median.
func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? .nan : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}
