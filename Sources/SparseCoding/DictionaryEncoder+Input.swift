import CKernels
import Glibc
import LinearAlgebra
import RandomNumbers
import Vocabulary

extension DictionaryEncoder {
    /// Reads the autoencoder's input from a batch: normalises the layers and selects by architecture.
    ///
    /// x is what the configuration's `input` makes of h: for dictionaries trained here (h − mean) / (std + 1e-6). Then
    /// - `route` (paper section 3.2; the authors' `src/model.py`): r = Σ_l x_l or the mean, p = softmax(W_r r); hard:
    ///   u = x_{argmax p}, times its probability in the reference; soft: u = Σ_l p_l x_l;
    /// - `random`: u = x of the layer drawn by the token's draw key;
    /// - `mlsae`: one sample u = x_l for each layer;
    /// - `crosscoder`: u = all x_l one after another;
    /// - the others read their one layer.
    ///
    /// - Parameter exploration: for training a hard router: tokens that it reads elsewhere.
    /// - Precondition: `input` holds at least as many tokens as the batch has.
    /// - Throws: as `layerPositions(in:)`; `.notFinite` if an activation, of the chosen layer or another, is an
    ///   infinity or a NaN, or so large that its square overflows.
    package func read(
        _ batch: ActivationBatch, into input: AutoencoderInput, exploring exploration: LayerExploration? = nil
    ) throws(SparseCodingError) {
        let positions = try layerPositions(in: batch)
        precondition(batch.count <= input.capacity, "\(batch.count) tokens for room for \(input.capacity)")
        let damaged = (0..<workers.count).map { _ in Matrix(rows: 1, columns: 1) }
        let scratch = (0..<workers.count).map { _ in
            Matrix(scratchRows: positions.count, columns: configuration.dModel)
        }
        workers.forEach(batch.count, tile: 64) { tokens, worker in
            for token in tokens {
                let isGood: Bool
                if configuration.routes {
                    let drawn = exploration?.layer(for: batch.drawKeys[token], of: positions.count)
                    isGood = route(
                        token, of: batch, positions, to: drawn, into: input, scratch: scratch[worker])
                } else {
                    isGood = copy(token, of: batch, positions, into: input)
                }
                if !isGood { damaged[worker].pointer[0] = 1 }
            }
        }
        guard damaged.allSatisfy({ $0.pointer[0] == 0 }) else {
            throw .notFinite(what: "an activation of layers \(configuration.layers)")
        }
    }

    /// Routes one token, to the drawn layer if there is one; false if a number is not finite.
    private func route(
        _ token: Int, of batch: ActivationBatch, _ positions: [Int], to drawn: Int?, into input: AutoencoderInput,
        scratch x: Matrix
    ) -> Bool {
        let d = Int64(configuration.dModel)
        let layers = positions.count
        let r = input.summary.row(token)
        r.update(repeating: 0, count: configuration.dModel)
        var isGood = true
        for layer in 0..<layers {
            // Every layer counts, since a layer that is not chosen still reaches the router's gradient.
            let isSound = normalise(
                token, of: batch, layer, at: positions[layer], into: x.row(layer), of: input)
            isGood = isSound && isGood
            rsae_add_scaled(r, 1, x.row(layer), d)
        }
        if configuration.aggregation == .mean {
            let divisor = Float(layers)
            for column in 0..<configuration.dModel { r[column] /= divisor }
        }

        let p = input.probabilities.row(token)
        for layer in 0..<layers { p[layer] = rsae_dot(weights.router.row(layer), r, d) }
        let preferred = softmax(p, count: layers)
        let chosen = drawn ?? preferred
        input.preferred[token] = Int32(truncatingIfNeeded: preferred)
        input.selected[token] = Int32(truncatingIfNeeded: chosen)
        let u = input.centered.row(token)
        let scale = configuration.scalesByProbability ? p[chosen] : 1
        input.scale.pointer[token] = scale
        switch configuration.routing {
        case .hard where scale == 1: u.update(from: x.row(chosen), count: configuration.dModel)
        case .hard:
            for column in 0..<configuration.dModel { u[column] = scale * x.row(chosen)[column] }
        case .soft:
            u.update(repeating: 0, count: configuration.dModel)
            for layer in 0..<layers { rsae_add_scaled(u, p[layer], x.row(layer), d) }
        }
        return finish(token, of: input) && isGood && p[chosen].isFinite
    }

    /// Reads one token without routing weights; false if a number is not finite.
    private func copy(
        _ token: Int, of batch: ActivationBatch, _ positions: [Int], into input: AutoencoderInput
    ) -> Bool {
        switch configuration.architecture {
        case .mlsae:
            let layers = positions.count
            var isGood = true
            for layer in 0..<layers {
                let sample = token * layers + layer
                let isSound = normalise(
                    token, of: batch, layer, at: positions[layer], into: input.centered.row(sample), of: input)
                isGood = note(sample, layer: layer, of: input) && isSound && isGood
            }
            return isGood
        case .crosscoder:
            let u = input.centered.row(token)
            var isGood = true
            for layer in 0..<positions.count {
                let isSound = normalise(
                    token, of: batch, layer, at: positions[layer], into: u + layer * configuration.dModel, of: input)
                isGood = isSound && isGood
            }
            return note(token, layer: 0, of: input) && isGood
        default:
            let layer = configuration.architecture == .random ? drawnLayer(batch.drawKeys[token]) : 0
            let isSound = normalise(
                token, of: batch, layer, at: positions[layer], into: input.centered.row(token), of: input)
            return note(token, layer: layer, of: input) && isSound
        }
    }

    /// Records the layer of a sample, and its norm; false if it is not finite.
    private func note(_ sample: Int, layer: Int, of input: AutoencoderInput) -> Bool {
        input.selected[sample] = Int32(truncatingIfNeeded: layer)
        input.preferred[sample] = Int32(truncatingIfNeeded: layer)
        input.scale.pointer[sample] = 1
        let p = input.probabilities.row(sample)
        p.update(
            repeating: configuration.architecture == .crosscoder ? 1 : 0, count: configuration.layers.count)
        p[layer] = 1
        return finish(sample, of: input)
    }

    /// The layer drawn by a key, as an index into the configuration's layers: uniform over the keys.
    package func drawnLayer(_ key: UInt64) -> Int {
        Int(SplitMix64.mixed(key).multipliedFullWidth(by: UInt64(configuration.layers.count)).high)
    }

    /// Normalises a token's activation at a layer; false if it is not finite, or too large to be squared: its
    /// deviation would be infinite, and it would standardise to zero.
    private func normalise(
        _ token: Int, of batch: ActivationBatch, _ layer: Int, at position: Int,
        into x: UnsafeMutablePointer<Float>, of input: AutoencoderInput
    ) -> Bool {
        let (mean, deviation) = configuration.input.apply(
            batch.values.row(token) + position * configuration.dModel, width: configuration.dModel, into: x)
        input.means[token, layer] = mean
        input.deviations[token, layer] = deviation
        return deviation.isFinite
    }

    /// Computes a sample's norm and subtracts b_pre; false if it is not finite.
    private func finish(_ sample: Int, of input: AutoencoderInput) -> Bool {
        let u = input.centered.row(sample)
        let width = Int64(configuration.inputWidth / configuration.parts)
        var isGood = true
        for part in 0..<configuration.parts {
            let piece = u + part * Int(width)
            let norm = rsae_dot(piece, piece, width)
            input.squaredNorm[sample, part] = norm
            isGood = isGood && norm.isFinite
        }
        if configuration.subtractsPreBias {
            rsae_add_scaled(u, -1, weights.preBias.pointer, Int64(configuration.inputWidth))
        }
        return isGood
    }
}

/// Softmax in place; returns the index of the largest (the first of equals).
func softmax(_ p: UnsafeMutablePointer<Float>, count: Int) -> Int {
    var best = 0
    for index in 1..<max(count, 1) where p[index] > p[best] { best = index }
    let top = p[best]
    var sum: Float = 0
    for index in 0..<count {
        p[index] = expf(p[index] - top)
        sum += p[index]
    }
    for index in 0..<count { p[index] /= sum }
    return best
}
