import CKernels
import LinearAlgebra
import SparseCoding

/// The result of a batch's forward pass.
struct ForwardResult {
    var loss: Float
    var balanceLoss: Float = 0
    var explainedVariance: Float
    var l0: Float
    var layerShares: [Float]
}

extension TopKTrainer {
    /// Encodes and decodes a batch, and computes the gradients of the latents and of the router's logits.
    func forward(_ batch: ActivationBatch) throws -> ForwardResult {
        let samples = batch.count * configuration.samplesPerToken
        encoder.packWeights()
        let exploration = options.exploration?.exploration(at: state.stepsDone, of: options.steps)
        try encoder.read(batch, into: input, exploring: exploration)
        if options.initialBias != .zero, state.stepsDone == 0 {
            input.moveBias(options.initialBias, of: weights, configuration, samples: samples, workers)
            try encoder.read(batch, into: input, exploring: exploration)
        }
        if options.routerGradient == .layerErrors { try measureLayerErrors(batch) }
        let router = configuration.routes ? try routerPass(batch) : nil
        decoderRows.round(by: workers)
        func follow(_ tile: Range<Int>, _ worker: Int) {
            for sample in tile {
                decode(sample, samples: samples)
                router?.gradient(of: sample, worker)
            }
        }
        if let selection {
            leastKept = selection.encode(input, count: samples, into: latents)
            workers.forEach(samples, tile: 64, follow)
        } else {
            encoder.encode(input, count: samples, into: latents, then: follow)
        }
        return summarise(tokens: batch.count, samples: samples, shares: router?.shares)
    }

    /// û − u, its gradient and the latent gradients of one sample. Loss of a part: ‖û − u‖² / (samples · parts · ‖u‖²).
    private func decode(_ sample: Int, samples: Int) {
        guard prefixes.count == 1 else { return decodePrefixes(sample, samples: samples) }
        let gradient = errorGradient.row(sample)
        let (index, count) = (latents.indices(of: sample), Int(latents.counts[sample]))
        let error = decoderRows.error(
            of: sample, input, index, latents.activations(of: sample), count: count, into: gradient)
        let part = width / parts
        for place in 0..<parts {
            let piece = gradient + place * part
            squaredError[sample, place] = parts == 1 ? error : rsae_dot(piece, piece, Int64(part))
            let norm = input.squaredNorm[sample, place]
            // A constant activation standardises to zero and has no relative error.
            let factor = norm > 0 ? 2 / (Float(samples * parts) * norm) : 0
            errorFactor[sample, place] = factor
            for column in 0..<part { piece[column] *= factor }
        }

        decoderRows.slopes(index, count: count, gradient, into: slopes(of: sample))
        if configuration.rectified { silenceSlopes(of: sample) }
    }

    /// Sets the gradients of kept latents that do not fire to zero.
    private func silenceSlopes(of sample: Int) {
        let (activation, slope) = (latents.activations(of: sample), slopes(of: sample))
        for slot in 0..<Int(latents.counts[sample]) where activation[slot] == 0 { slope[slot] = 0 }
    }

    /// The same with prefixes, whose mean error is the loss.
    private func decodePrefixes(_ sample: Int, samples: Int) {
        prefixErrors(of: sample)
        squaredError[sample, 0] = prefixSquares[sample, prefixes.count - 1]
        let norm = input.squaredNorm[sample, 0]
        let factor = norm > 0 ? 2 / (Float(samples * prefixes.count) * norm) : 0
        errorFactor[sample, 0] = factor
        prefixGradients(of: sample, factor: factor)
        if configuration.rectified { silenceSlopes(of: sample) }
    }

    private func summarise(tokens: Int, samples: Int, shares: [Float]?) -> ForwardResult {
        let firing = workers.countNonzero(latents.activations, count: latents.offset(of: samples))
        var result = input.summarise(
            squaredError: squaredError, configuration, samples: samples, firing: firing,
            lossError: prefixes.count > 1 ? { self.meanPrefixSquare(of: $0) } : nil, workers)
        if let shares {
            var balance: Float = 0
            for (layer, share) in shares.enumerated() {
                var sum: Float = 0
                for token in 0..<tokens { sum += input.probabilities[token, layer] }
                balance += share * sum / Float(tokens)
            }
            result.balanceLoss = options.loadBalance * Float(shares.count) * balance
        }
        return result
    }
}
