import CKernels
import LinearAlgebra
import SparseCoding

/// Per-batch quantities of the router's backward pass, computed before its tokens.
struct RouterPass {
    let trainer: TopKTrainer
    let batch: ActivationBatch
    let positions: [Int]
    /// f_l: the fraction of tokens for which each layer is most probable.
    let shares: [Float]
    /// W_enc b_pre `[1 × latents]`, for the reference's hard routing; nil for the others.
    let encodedBias: Matrix?
    let scratch: [Matrix]

    /// ∂L/∂(router logits) of one token, in its row of `logitGradient`.
    func gradient(of token: Int, _ worker: Int) {
        // With errors measured at every layer, they are already in place.
        if trainer.options.routerGradient != .layerErrors { layerSlopes(token, scratch[worker].pointer) }
        throughSoftmax(token)
    }

    /// ∂L/∂p of one token, without the load-balance term.
    ///
    /// ∂L/∂u = W_encᵀ ∂L/∂a − g − 2‖û − u‖² u / (count ‖u‖⁴), with g = ∂L/∂û, since u is input, target and
    /// denominator. Soft routing, u = Σ p_l x_l: ∂L/∂p_l = ⟨∂L/∂u, x_l⟩. Straight-through hard routing
    /// (`RouterGradient`) takes the same at the chosen x. AuxK takes u as given and adds nothing here. x_l is recovered from h_l, its mean and deviation.
    private func layerSlopes(_ token: Int, _ du: UnsafeMutablePointer<Float>) {
        let layers = positions.count
        let gradient = trainer.logitGradient.row(token)
        if let encodedBias {
            gradient.update(repeating: 0, count: layers)
            gradient[Int(trainer.input.selected[token])] = scaleSlope(token, encodedBias: encodedBias)
            return
        }

        let d = trainer.configuration.dModel
        let (input, weights) = (trainer.input, trainer.weights)
        rsae_gather(
            weights.encoder.pointer, Int64(d), trainer.latents.indices(of: token), trainer.slopes(of: token),
            Int64(trainer.latents.counts[token]), du)
        rsae_add_scaled(du, -1, trainer.errorGradient.row(token), Int64(d))
        let norm = input.squaredNorm.pointer[token]
        let square =
            trainer.prefixes.count > 1 ? trainer.meanPrefixSquare(of: token) : trainer.squaredError.pointer[token]
        // Divided twice, since ‖u‖⁴ may be too small for a Float where ‖u‖² is not.
        let toward =
            norm > 0 ? -2 * (square / norm) / (Float(batch.count) * norm) : 0
        rsae_add_scaled(du, toward, input.centered.row(token), Int64(d))
        rsae_add_scaled(du, toward, weights.preBias.pointer, Int64(d))
        let sum = rsae_sum(du, Int64(d))
        for layer in 0..<layers {
            let h = batch.values.row(token) + positions[layer] * d
            let deviation = trainer.configuration.input.divisor(deviation: input.deviations[token, layer])
            gradient[layer] = (rsae_dot(du, h, Int64(d)) - input.means[token, layer] * sum) / deviation
        }
    }

    /// ∂L/∂s of one token for the reference's hard routing, u = s x: ⟨∂L/∂u, u⟩ / s.
    ///
    /// Its three large terms cancel: with ⟨W_enc[j], u⟩ = a_j − b_lat[j] + ⟨W_enc[j], b_pre⟩ and
    /// Σ a_j slope_j = ⟨û − b_pre, g⟩ what is left is Σ slope_j (⟨W_enc[j], b_pre⟩ − b_lat[j]) − ⟨b_pre, g⟩, exactly
    /// zero if the biases are. Summed directly the formula would leave round-off, which Adam, dividing by the
    /// gradient's own size, would amplify.
    private func scaleSlope(_ token: Int, encodedBias: Matrix) -> Float {
        let index = trainer.latents.indices(of: token)
        let slope = trainer.slopes(of: token)
        var sum = -rsae_dot(
            trainer.weights.preBias.pointer, trainer.errorGradient.row(token), Int64(trainer.configuration.dModel))
        for slot in 0..<trainer.k {
            let latent = Int(index[slot])
            sum += slope[slot] * (encodedBias.pointer[latent] - trainer.weights.latentBias.pointer[latent])
        }
        return sum / trainer.input.scale.pointer[token]
    }

    /// Adds the load-balance term to ∂L/∂p and backpropagates through the softmax to the router's logits.
    private func throughSoftmax(_ token: Int) {
        let layers = shares.count
        let p = trainer.input.probabilities.row(token)
        let gradient = trainer.logitGradient.row(token)
        let balance = trainer.options.loadBalance * Float(layers) / Float(batch.count)
        var mean: Float = 0
        for layer in 0..<layers {
            gradient[layer] += balance * shares[layer]
            mean += p[layer] * gradient[layer]
        }
        for layer in 0..<layers { gradient[layer] = p[layer] * (gradient[layer] - mean) }
    }
}

extension TopKTrainer {
    /// Prepares the router's backward pass for a batch whose input has been read.
    func routerPass(_ batch: ActivationBatch) throws -> RouterPass {
        RouterPass(
            trainer: self, batch: batch, positions: try encoder.layerPositions(in: batch),
            shares: input.layerShares(layers: configuration.layers.count, samples: batch.count),
            encodedBias: encodedBias(),
            scratch: (0..<workers.count).map { _ in Matrix(scratchRows: 1, columns: configuration.dModel) })
    }

    private func encodedBias() -> Matrix? {
        guard configuration.scalesByProbability else { return nil }
        let result = Matrix(rows: 1, columns: configuration.latents)
        workers.multiply(
            rows: 1, columns: configuration.latents, inner: configuration.dModel, weights.preBias.pointer,
            stride: configuration.dModel, byTransposeOf: weights.encoder.pointer, stride: configuration.dModel,
            into: result.pointer, stride: configuration.latents)
        return result
    }
}
