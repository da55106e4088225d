public import LinearAlgebra
import SparseCoding
import SparseTraining

/// Measures a training step against the one product it cannot do without.
public struct TrainingBenchmark: Sendable {
    /// Width of the residual stream.
    public var dModel: Int
    /// m.
    public var latents: Int
    /// k.
    public var k: Int
    /// Routed layers.
    public var layers: Int
    /// Tokens of a step.
    public var tokens: Int
    /// How often both are timed; the medians count.
    public var repeats: Int

    /// Describes a benchmark.
    public init(dModel: Int, latents: Int, k: Int, layers: Int, tokens: Int, repeats: Int = 5) {
        self.dModel = dModel
        self.latents = latents
        self.k = k
        self.layers = layers
        self.tokens = tokens
        self.repeats = repeats
    }

    /// What was measured.
    public struct Result: Sendable, Encodable {
        /// Median seconds of a whole step: routing, encoding, decoding, gradients, Adam, AuxK where latents are dead.
        public let stepSeconds: Double
        /// Median seconds of the dense product [tokens × d] · [d × latents] alone, same threads, same run.
        public let encodeGemmSeconds: Double
        /// The first over the second.
        public let ratio: Double
        /// Tokens trained on in a second.
        public let tokensPerSecond: Double
    }

    /// Runs it on standard normal activations; steps and products take turns, so that both meet the same machine.
    ///
    /// - Throws: `SparseCodingError.setting` for sizes out of range.
    public func run(workers: Workers, progress: (_ done: Int, _ total: Int) -> Void) throws -> Result {
        guard (1...1024).contains(layers) else { throw WorkflowError.usage("--layers is \(layers); allowed: 1 … 1024") }
        let configuration = try DictionaryConfiguration(
            dModel: dModel, latents: latents, k: k, layers: Array(0..<layers))
        let options = try TrainingOptions(configuration, batchTokens: tokens, steps: max(10 * repeats, 100))
        let batch = ActivationBatch(capacity: tokens, layers: configuration.layers, dModel: dModel)
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
        batch.count = tokens
        let trainer = TopKTrainer(
            configuration: configuration, options: options, weights: DictionaryWeights(configuration, seed: 0),
            workers: workers)
        let product = Matrix(rows: tokens, columns: latents)
        let inputs = Matrix(rows: tokens, columns: dModel)
        inputs.pointer.update(from: batch.values.pointer, count: inputs.count)
        let clock = ContinuousClock()
        var steps: [Double] = []
        var products: [Double] = []
        // The first round warms caches and pages up and does not count.
        for round in 0...repeats {
            let multiply = clock.measure {
                workers.multiply(
                    rows: tokens, columns: latents, inner: dModel, inputs.pointer, stride: dModel,
                    byTransposeOf: trainer.state.weights.encoder.pointer, stride: dModel, into: product.pointer,
                    stride: latents)
            }
            let step = try clock.measure { _ = try trainer.step(batch) }
            if round > 0 {
                products.append(multiply / .seconds(1))
                steps.append(step / .seconds(1))
            }
            progress(round, repeats)
        }
        let step = median(steps)
        let gemm = median(products)
        return Result(
            stepSeconds: step, encodeGemmSeconds: gemm, ratio: step / gemm, tokensPerSecond: Double(tokens) / step)
    }
}

/// The middle of some measurements.
func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? .nan : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}
