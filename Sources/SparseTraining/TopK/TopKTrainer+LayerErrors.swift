import LinearAlgebra
import SparseCoding

extension TopKTrainer {
    /// The number of a batch's tokens that are read at every layer: a thirty-second of the batch's encodes, at least
    /// 256, a tile of them. More hardly improve the router (200, 50 and 25 tokens of 4096 end at the same
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
        if let errors = options.routerErrors {
            compareWithMeans(errors, tokens: tokens) { input.squaredNorm.pointer[$0 * layers + $1] > 0 }
        }
    }

    /// Turns each e_l / tried in `logitGradient` into (e_l − μ_l) / tried or (e_l / μ_l − 1) / tried, with μ_l the running
    /// mean of which these errors are the newest; they enter the state when the step is done.
    ///
    /// - Parameter isMeasured: whether a token tried, by its place among them, has an error at a layer.
    private func compareWithMeans(
        _ errors: RouterErrors, tokens: [Int], isMeasured: (_ row: Int, _ layer: Int) -> Bool
    ) {
        let share = 1 / Float(tokens.count)
        for layer in 0..<configuration.layers.count {
            let rows = tokens.indices.filter { isMeasured($0, layer) }
            var sum: Float = 0
            for row in rows { sum += logitGradient[tokens[row], layer] }
            let former = state.layerErrorMeans.pointer[layer]
            var mean = former
            if !rows.isEmpty {
                mean += state.newestShare * (sum / (share * Float(rows.count)) - former)
            }
            newLayerErrorMeans.pointer[layer] = mean
            for row in rows {
                let error = logitGradient[tokens[row], layer]
                logitGradient[tokens[row], layer] =
                    errors == .centred ? error - mean * share : mean > 0 ? error / mean - share : 0
            }
        }
    }
}
