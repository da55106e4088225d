import LinearAlgebra
import SparseCoding

/// Some tokens, encoded.
struct EncodedPiece {
    let encoder: DictionaryEncoder
    let input: AutoencoderInput
    let latents: SparseLatents
    /// Tokens.
    let tokens: Int
    /// Samples: tokens, or of an MLSAE their layers.
    let samples: Int

    /// Encodes a batch.
    ///
    /// - Throws: `SparseCodingError`.
    init(_ batch: ActivationBatch, _ encoder: DictionaryEncoder) throws(SparseCodingError) {
        self.encoder = encoder
        tokens = batch.count
        samples = batch.count * encoder.configuration.samplesPerToken
        input = AutoencoderInput(capacity: batch.count, configuration: encoder.configuration)
        try encoder.read(batch, into: input)
        latents = SparseLatents(capacity: batch.count, configuration: encoder.configuration)
        encoder.encode(input, count: samples, into: latents)
    }

    /// The largest number of latents kept of one sample.
    var mostActive: Int { (0..<samples).map { Int(latents.counts[$0]) }.max() ?? 0 }

    /// The number of latents of all samples whose activation is not 0.
    var activeCount: Int {
        (0..<samples).reduce(0) { sum, sample in
            sum + (0..<Int(latents.counts[sample])).count { latents.activations(of: sample)[$0] != 0 }
        }
    }

    /// The latents of a sample, ascending, filled up to a width with others, of value 0.
    func padded(_ sample: Int, to width: Int) -> (indices: [Int32], values: [Float]) {
        let count = Int(latents.counts[sample])
        let kept = (0..<count).map { (latents.indices(of: sample)[$0], latents.activations(of: sample)[$0]) }
        guard count < width else { return (kept.map(\.0), kept.map(\.1)) }
        let used = Set(kept.map(\.0))
        let others = (0..<Int32(encoder.configuration.latents)).lazy.filter { !used.contains($0) }.prefix(width - count)
        let all = (kept + others.map { ($0, 0) }).sorted { $0.0 < $1.0 }
        return (all.map(\.0), all.map(\.1))
    }

    /// All latents of a sample.
    func dense(_ sample: Int) -> [Float] {
        var values = Array(repeating: Float(0), count: encoder.configuration.latents)
        for slot in 0..<Int(latents.counts[sample]) {
            values[Int(latents.indices(of: sample)[slot])] = latents.activations(of: sample)[slot]
        }
        return values
    }
}
