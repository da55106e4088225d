import DictionaryExchange
import LinearAlgebra
import Safetensors
import SparseCoding
import Vocabulary

/// A dictionary of seeded weights, for the writers and for the encoder.
struct DictionaryOfRandomWeights {
    let configuration: DictionaryConfiguration
    let weights: DictionaryWeights
    let toExport: DictionaryToExport

    /// Makes one, every value of every tensor other than 0.
    ///
    /// - Parameters:
    ///   - dtype: what the tensors are stored as; the values are rounded to it.
    ///   - change: changes a tensor afterwards.
    init(
        _ configuration: DictionaryConfiguration, dtype: TensorDType = .f32, firingRates: [Double]? = nil,
        change: (_ name: String, _ matrix: Matrix) -> Void = { _, _ in }
    ) {
        self.configuration = configuration
        weights = DictionaryWeights(configuration)
        var generator = CounterGenerator(seed: 17, stream: "export")
        for tensor in weights.tensors {
            let size: Float = tensor.name == "encoder" || tensor.name == "decoder" ? 0.4 : 0.5
            for index in 0..<tensor.matrix.count {
                var value = size * (2 * generator.uniform() - 1)
                if tensor.name == "threshold", configuration.fidelity == .reference { value = abs(value) }
                tensor.matrix.pointer[index] =
                    switch dtype {
                    case .bf16: FloatConversion.float(bfloat16: FloatConversion.bfloat16(value))
                    case .f16: FloatConversion.float(float16: FloatConversion.float16(value))
                    default: value
                    }
            }
            change(tensor.name, tensor.matrix)
        }
        let matrices = Dictionary(uniqueKeysWithValues: weights.tensors.map { ($0.name, $0.matrix) })
        toExport = DictionaryToExport(
            configuration: configuration, name: "demo",
            tensors: weights.tensors.map { tensor in
                (
                    tensor.name, dtype,
                    tensor.isVector ? [tensor.matrix.columns] : [tensor.matrix.rows, tensor.matrix.columns]
                )
            },
            read: { name in matrices[name]?.copy() ?? Matrix(rows: 0, columns: 0) },
            modelName: "meta/model", contextTokens: 256, prependsBOS: false, source: "a test",
            firingRates: firingRates, softwareVersion: "0.1.0")
    }

    /// Seeded streams `[tokens][d]` of one layer, with a mean and a scale of their own.
    func streams(_ tokens: Int = 24) -> [[Double]] {
        var generator = CounterGenerator(seed: 23, stream: "streams")
        return (0..<tokens).map { _ in
            let (scale, offset) = (0.5 + 3 * generator.uniform(), generator.uniform() - 0.5)
            return (0..<configuration.dModel).map { _ in Double(scale * (2 * generator.uniform() - 1) + offset) }
        }
    }

    /// The latents `[tokens][m]` of streams that a single-layer dictionary reads, by the program's own encoder.
    func latents(of streams: [[Double]]) throws -> [[Float]] {
        let batch = ActivationBatch(
            capacity: streams.count, layers: configuration.layers, dModel: configuration.dModel)
        batch.count = streams.count
        for (token, stream) in streams.enumerated() {
            for (column, value) in stream.enumerated() { batch.values[token, column] = Float(value) }
        }
        let own = DictionaryWeights(configuration)
        for (copy, tensor) in zip(own.tensors, weights.tensors) { copy.matrix.update(from: tensor.matrix) }
        let workers = Workers(threads: 1)
        if configuration.selection == .activationTimesNorm { own.foldNorms(by: workers) }
        let encoder = DictionaryEncoder(configuration: configuration, weights: own, workers: workers)
        let input = AutoencoderInput(capacity: streams.count, configuration: configuration)
        try encoder.read(batch, into: input)
        let latents = SparseLatents(capacity: streams.count, configuration: configuration)
        encoder.encode(input, count: streams.count, into: latents)
        return streams.indices.map { token in
            var row = [Float](repeating: 0, count: configuration.latents)
            for slot in 0..<Int(latents.counts[token]) {
                row[Int(latents.indices(of: token)[slot])] = latents.activations(of: token)[slot]
            }
            return row
        }
    }

    /// x̂ of h `[d]` by definition: what the input's rule undoes of Σ_j a_j W_dec[j] + b_pre.
    ///
    /// With `.activationTimesNorm` the decoder's rows count as if they had unit norm.
    func reconstruction(of h: [Double], _ latents: [Float]) -> [Double] {
        let d = configuration.dModel
        let mean = h.reduce(0, +) / Double(d)
        let deviation = (h.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(d - 1)).squareRoot()
        let norm = h.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return (0..<d).map { column in
            var x = Double(weights.preBias.pointer[column])
            for (latent, activation) in latents.enumerated() {
                let row = (0..<d).map { Double(weights.decoder[latent, $0]) }
                let length = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
                let divisor = configuration.selection == .activationTimesNorm ? max(length, 1e-300) : 1
                x += Double(activation) * row[column] / divisor
            }
            switch configuration.input {
            case .none: return x
            case .layerNorm: return x * deviation + mean
            case .scale(let factor): return x / factor
            case .unitNorm: return x * norm / Double(d).squareRoot()
            }
        }
    }
}
