import LinearAlgebra
import SparseCoding

extension TopKTrainer {
    /// The number of a batch's tokens that are read at every layer: a thirty-second of the batch's encodes, at least
    /// 256, a tile of them. More hardly improve the router (200, 50 and 25 tokens of 4096 end at the same
    /// NormMSE), since Adam averages over many steps.
    package static func triedTokens(count: Int, layers: Int) -> Int {
        min(count, max(max(256, count / 32) / layers, 1))
    }

    /// ∂(Σ_t Σ_l p_l e_l / tried)/∂p of the tokens tried, which is e_l / tried, in rows of `logitGradient`; zero in
    /// those of the others.
    ///
    /// The dictionary itself does not learn from these errors, only from the chosen layers.
    func measureLayerErrors(_ batch: ActivationBatch) throws {
        let layers = configuration.layers.count
        let tried = TopKTrainer.triedTokens(count: batch.count, layers: layers)
        let tokens = (0..<tried).map { $0 * batch.count / tried }
        let part = ActivationBatch(capacity: tried, layers: batch.layers, dModel: batch.dModel)
        for (row, token) in tokens.enumerated() { part.copyRow(row, from: batch, row: token) }
        part.count = tried

        // The same weights as an MLSAE's, whose samples are the layers of each token.
        let everyLayer = configuration.readingEveryLayer
        let encoder = DictionaryEncoder(configuration: everyLayer, weights: weights, workers: workers)
        let input = AutoencoderInput(capacity: tried, configuration: everyLayer)
        let latents = SparseLatents(capacity: tried, configuration: everyLayer)
        try encoder.read(part, into: input)
        for row in 0..<batch.count { logitGradient.row(row).update(repeating: 0, count: layers) }
        let gradient = logitGradient
        let scratch = (0..<workers.count).map { _ in Matrix(scratchRows: 1, columns: width) }
        encoder.encode(input, count: tried * layers, into: latents) { samples, worker in
            for sample in samples {
                let error = encoder.reconstructionError(of: sample, input, latents, into: scratch[worker].pointer)
                let norm = input.squaredNorm.pointer[sample]
                // A constant activation standardises to zero and has no relative error.
                guard norm > 0 else { continue }
                gradient[tokens[sample / layers], sample % layers] = error / (norm * Float(tried))
            }
        }
    }
}
