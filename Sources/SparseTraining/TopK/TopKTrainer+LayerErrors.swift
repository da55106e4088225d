import CKernels
import LinearAlgebra
import SparseCoding

extension TopKTrainer {
    /// The number of a batch's tokens that are read at every layer: a thirty-second of the batch's encodes, at least
    /// 256 of them. More hardly improve the router (200, 50 and 25 tokens of 4096 end at the same
    /// NormMSE), since Adam averages over many steps.
    package static func triedTokens(count: Int, layers: Int) -> Int {
        min(count, max(max(256, count / 32) / layers, 1))
    }

    /// ∂(Σ_t Σ_l p_l e_l / tried)/∂p of the tokens tried, which is e_l / tried with e_l as `RouterErrors` says, in rows of
    /// `logitGradient`; zero in those of the others.
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
        // At k latents each, whatever a batch would keep: no layer is preferred for using up more of them.
        let everyLayer = configuration.readingEveryLayer(k: k)
        let encoder = DictionaryEncoder(configuration: everyLayer, sharing: self.encoder)
        let input = AutoencoderInput(capacity: tried, configuration: everyLayer)
        let latents = SparseLatents(capacity: tried, configuration: everyLayer)
        try encoder.read(part, into: input)
        for row in 0..<batch.count { logitGradient.row(row).update(repeating: 0, count: layers) }
        let gradient = logitGradient
        let spans = options.routerErrors == .spanning
        let scratch = (0..<workers.count).map { _ in Matrix(scratchRows: 2, columns: width) }
        encoder.encode(input, count: tried * layers, into: latents) { samples, worker in
            for sample in samples {
                let token = sample / layers
                let error = scratch[worker].row(0)
                let square = encoder.reconstructionError(of: sample, input, latents, into: error)
                let own = sample..<(sample + 1)
                let compared = spans ? token * layers..<(token + 1) * layers : own
                // A constant activation standardises to zero and has no relative error.
                let measured = compared.filter { input.squaredNorm.pointer[$0] > 0 }
                var sum: Float = 0
                for other in measured {
                    let distance =
                        other == sample
                        ? square
                        : squaredDistance(of: sample, error, from: other, input, scratch[worker].row(1))
                    sum += distance / input.squaredNorm.pointer[other]
                }
                gradient[tokens[token], sample % layers] = sum / Float(max(measured.count, 1) * tried)
            }
        }
    }

    /// ‖û_s − u_o‖² of two layers of a token, from û_s − u_s.
    private func squaredDistance(
        of sample: Int, _ error: UnsafePointer<Float>, from other: Int, _ input: AutoencoderInput,
        _ difference: UnsafeMutablePointer<Float>
    ) -> Float {
        difference.update(from: error, count: width)
        rsae_add_scaled(difference, 1, input.centered.row(sample), Int64(width))
        rsae_add_scaled(difference, -1, input.centered.row(other), Int64(width))
        return rsae_dot(difference, difference, Int64(width))
    }
}
