import CKernels
import LinearAlgebra
import SparseCoding

/// What the forward pass of a batch found.
struct ForwardResult {
    var loss: Float
    var balanceLoss: Float
    var explainedVariance: Float
    var l0: Float
    var layerShares: [Float]
}

extension RouteTrainer {
    /// Routes, encodes and decodes a batch, and takes the gradient back to the latents and to the router's logits.
    func forward(_ batch: ActivationBatch) throws -> ForwardResult {
        let count = batch.count
        try encoder.route(batch, into: routed)
        if options.startsAtMean, stepsDone == 0 { try startAtMean(batch) }
        let shares = layerShares(count: count)
        let positions = try encoder.layerPositions(in: batch)
        let scratch = (0..<workers.count).map { _ in Matrix(rows: 1, columns: configuration.dModel) }
        let encodedBias = encodedBias()
        encoder.encode(routed, count: count, into: latents) { tokens, worker in
            for token in tokens {
                decode(token, count: count)
                layerSlopes(
                    token, batch, positions, encodedBias: encodedBias, count: count, scratch: scratch[worker])
                logitGradient(token, shares: shares, count: count)
            }
        }
        return summarise(count: count, shares: shares)
    }

    /// û − u, its gradient and the slopes of one token. Loss of a token: ‖û − u‖² / (count · ‖u‖²); b_pre cancels in
    /// û − u = Σ z W_dec − (u − b_pre).
    private func decode(_ token: Int, count: Int) {
        let d = Int64(configuration.dModel)
        let k = Int64(configuration.k)
        let gradient = errorGradient.row(token)
        let activation = latents.activations(of: token)
        let error = rsae_decode_error(
            weights.decoder.pointer, d, latents.indices(of: token), activation, k, routed.centered.row(token), gradient)
        squaredError.pointer[token] = error
        let norm = routed.squaredNorm.pointer[token]
        // A constant activation standardises to zero and has no relative error.
        let factor = norm > 0 ? 2 / (Float(count) * norm) : 0
        errorFactor.pointer[token] = factor
        for column in 0..<configuration.dModel { gradient[column] *= factor }
        let slope = slopes.row(token)
        rsae_row_dots(weights.decoder.pointer, d, latents.indices(of: token), k, gradient, slope)
        if configuration.rectified {
            for slot in 0..<configuration.k where activation[slot] == 0 { slope[slot] = 0 }
        }
    }

    /// ∂L/∂p of one token, without the load-balance term, into its row of `logitGradient`.
    ///
    /// ∂L/∂u = W_encᵀ slope − g − 2‖û − u‖² u / (count ‖u‖⁴), with g = ∂L/∂û, since u is input, target and
    /// denominator. Soft routing, u = Σ p_l x_l: ∂L/∂p_l = ⟨∂L/∂u, x_l⟩. Corrected hard routing is straight-through:
    /// forward the chosen layer, backward as if it were soft (Bengio et al. 2013, arXiv 1308.3432). AuxK takes u as given
    /// and adds nothing here. x_l is recovered from h_l, its mean and deviation.
    private func layerSlopes(
        _ token: Int, _ batch: ActivationBatch, _ positions: [Int], encodedBias: Matrix?, count: Int, scratch: Matrix
    ) {
        let layers = positions.count
        guard layers > 1 else { return }
        let gradient = logitGradient.row(token)
        if let encodedBias {
            gradient.update(repeating: 0, count: layers)
            gradient[Int(routed.selected[token])] = scaleSlope(token, encodedBias: encodedBias)
            return
        }
        let d = configuration.dModel
        let du = scratch.pointer
        rsae_gather(
            weights.encoder.pointer, Int64(d), latents.indices(of: token), slopes.row(token), Int64(configuration.k), du
        )
        rsae_add_scaled(du, -1, errorGradient.row(token), Int64(d))
        let norm = routed.squaredNorm.pointer[token]
        // Divided twice, since ‖u‖⁴ may be too small for a Float where ‖u‖² is not.
        let toward = norm > 0 ? -2 * (squaredError.pointer[token] / norm) / (Float(count) * norm) : 0
        rsae_add_scaled(du, toward, routed.centered.row(token), Int64(d))
        rsae_add_scaled(du, toward, weights.preBias.pointer, Int64(d))
        var sum: Float = 0
        for column in 0..<d { sum += du[column] }
        for layer in 0..<layers {
            let h = batch.values.row(token) + positions[layer] * d
            let deviation = routed.deviations[token, layer] + 1e-6
            gradient[layer] = (rsae_dot(du, h, Int64(d)) - routed.means[token, layer] * sum) / deviation
        }
    }

    /// W_enc b_pre `[1 × latents]`, which the reference's hard routing needs; nil for the others.
    private func encodedBias() -> Matrix? {
        guard configuration.scalesByProbability, configuration.layers.count > 1 else { return nil }
        let result = Matrix(rows: 1, columns: configuration.latents)
        workers.multiply(
            rows: 1, columns: configuration.latents, inner: configuration.dModel, weights.preBias.pointer,
            stride: configuration.dModel, byTransposeOf: weights.encoder.pointer, stride: configuration.dModel,
            into: result.pointer, stride: configuration.latents)
        return result
    }

    /// ∂L/∂s of one token for the reference's hard routing, u = s x: ⟨∂L/∂u, u⟩ / s.
    ///
    /// Its three large terms cancel: with ⟨W_enc[j], u⟩ = a_j − b_lat[j] + ⟨W_enc[j], b_pre⟩ and
    /// Σ a_j slope_j = ⟨û − b_pre, g⟩ what is left is Σ slope_j (⟨W_enc[j], b_pre⟩ − b_lat[j]) − ⟨b_pre, g⟩, exactly
    /// zero where the biases are. Summed as it stands the formula would leave round-off, which Adam, dividing by the
    /// gradient's own size, takes for a signal.
    private func scaleSlope(_ token: Int, encodedBias: Matrix) -> Float {
        let index = latents.indices(of: token)
        let slope = slopes.row(token)
        var sum = -rsae_dot(weights.preBias.pointer, errorGradient.row(token), Int64(configuration.dModel))
        for slot in 0..<configuration.k {
            let latent = Int(index[slot])
            sum += slope[slot] * (encodedBias.pointer[latent] - weights.latentBias.pointer[latent])
        }
        return sum / routed.scale.pointer[token]
    }

    /// Adds the load-balance term to ∂L/∂p and takes it back through the softmax to the router's logits.
    private func logitGradient(_ token: Int, shares: [Float], count: Int) {
        let layers = shares.count
        guard layers > 1 else { return }
        let p = routed.probabilities.row(token)
        let gradient = logitGradient.row(token)
        let balance = options.loadBalance * Float(layers) / Float(count)
        var mean: Float = 0
        for layer in 0..<layers {
            gradient[layer] += balance * shares[layer]
            mean += p[layer] * gradient[layer]
        }
        for layer in 0..<layers { gradient[layer] = p[layer] * (gradient[layer] - mean) }
    }

    /// Moves b_pre to the mean of the batch's routed activations.
    private func startAtMean(_ batch: ActivationBatch) throws {
        let d = configuration.dModel
        let mean = Matrix(rows: 2, columns: d)
        rsae_column_sums(routed.centered.pointer, Int64(batch.count), Int64(d), Int64(d), mean.row(0), mean.row(1))
        for column in 0..<d { weights.preBias.pointer[column] += mean[0, column] / Float(batch.count) }
        try encoder.route(batch, into: routed)
    }

    /// f_l: the part of the tokens that each layer is most probable for.
    private func layerShares(count: Int) -> [Float] {
        var tokens = Array(repeating: 0, count: configuration.layers.count)
        for token in 0..<count { tokens[Int(routed.selected[token])] += 1 }
        return tokens.map { Float($0) / Float(count) }
    }

    private func summarise(count: Int, shares: [Float]) -> ForwardResult {
        let d = configuration.dModel
        let layers = configuration.layers.count
        var loss = 0.0
        var residual = 0.0
        for token in 0..<count {
            let error = Double(squaredError.pointer[token])
            let norm = Double(routed.squaredNorm.pointer[token])
            residual += error
            if norm > 0 { loss += error / norm }
            if error.isNaN { loss = .nan }
        }
        let sums = Matrix(rows: 2, columns: d)
        workers.forEach(d, tile: RouteTrainer.columnBlock) { columns, _ in
            rsae_column_sums(
                routed.centered.pointer + columns.lowerBound, Int64(count), Int64(d), Int64(columns.count),
                sums.row(0) + columns.lowerBound, sums.row(1) + columns.lowerBound)
        }
        var variance = 0.0
        for column in 0..<d {
            let sum = Double(sums[0, column])
            variance += Double(sums[1, column]) - sum * sum / Double(count)
        }
        var firing = 0
        let activation = latents.activations.pointer
        for entry in 0..<count * configuration.k where activation[entry] != 0 { firing += 1 }
        var balance = 0.0
        for layer in 0..<layers {
            var mean = 0.0
            for token in 0..<count { mean += Double(routed.probabilities[token, layer]) }
            balance += Double(shares[layer]) * mean / Double(count)
        }
        return ForwardResult(
            loss: Float(loss / Double(count)),
            balanceLoss: options.loadBalance * Float(layers) * Float(balance),
            explainedVariance: variance > 0 ? Float(1 - residual / variance) : .nan,
            l0: Float(firing) / Float(count),
            layerShares: shares)
    }
}
