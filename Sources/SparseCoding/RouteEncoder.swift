import CKernels
import Glibc
public import LinearAlgebra

/// The one encode path: residual streams → routed activation → k active latents. Training, indexing, evaluation and
/// intervention all come through here.
public struct RouteEncoder: Sendable {
    /// The dictionary's shape and rules.
    public let configuration: RouteConfiguration
    /// Its weights.
    public let weights: RouteWeights
    /// Who does the work.
    public let workers: Workers

    /// Tokens of one encode tile: with it a tile's pre-activations stay in the outer caches, and the product still runs
    /// at nearly full speed.
    package static let tile = 256

    /// Makes an encoder over existing weights.
    public init(configuration: RouteConfiguration, weights: RouteWeights, workers: Workers) {
        self.configuration = configuration
        self.weights = weights
        self.workers = workers
    }

    /// Where each of the configuration's layers lies in a batch.
    ///
    /// - Throws: `SparseCodingError.layer` for the first one that the batch lacks, `.setting` for another width.
    public func layerPositions(in batch: ActivationBatch) throws(SparseCodingError) -> [Int] {
        guard batch.dModel == configuration.dModel else {
            throw .setting(
                name: "the width of the activations", found: String(batch.dModel),
                allowed: "\(configuration.dModel), the dictionary's")
        }
        var positions: [Int] = []
        for layer in configuration.layers {
            guard let position = batch.layers.firstIndex(of: layer) else {
                throw .layer(asked: layer, available: batch.layers)
            }
            positions.append(position)
        }
        return positions
    }

    /// Routes the batch's tokens: standardises each layer, aggregates, and picks or mixes (paper section 3.2; every
    /// formula in the order of the authors' `src/model.py`).
    ///
    /// x = (h − mean) / (std + 1e-6); r = Σ_l x_l or the mean; p = softmax(W_r r); hard: u = x_{argmax p}, times its
    /// probability in the reference; soft: u = Σ_l p_l x_l.
    ///
    /// - Precondition: `routed` holds at least as many tokens as the batch has.
    /// - Throws: as `layerPositions(in:)`; `.notFinite` where an activation, of the chosen layer or of another, is an
    ///   infinity or a NaN, or so large that its square is.
    public func route(_ batch: ActivationBatch, into routed: RoutedBatch) throws(SparseCodingError) {
        let positions = try layerPositions(in: batch)
        precondition(batch.count <= routed.capacity, "\(batch.count) tokens for room for \(routed.capacity)")
        let d = configuration.dModel
        let layers = positions.count
        let configuration = self.configuration
        let weights = self.weights
        let scratch = (0..<workers.count).map { _ in Matrix(rows: layers + 1, columns: d) }
        let damaged = (0..<workers.count).map { _ in Matrix(rows: 1, columns: 1) }
        workers.forEach(batch.count, tile: 64) { tokens, worker in
            let x = scratch[worker]
            let u = x.row(layers)
            for token in tokens {
                let row = batch.values.row(token)
                let r = routed.summary.row(token)
                r.update(repeating: 0, count: d)
                for (layer, position) in positions.enumerated() {
                    rsae_standardise(
                        row + position * d, Int64(d), x.row(layer), routed.means.row(token) + layer,
                        routed.deviations.row(token) + layer)
                    rsae_add_scaled(r, 1, x.row(layer), Int64(d))
                    // Every layer counts, since a layer that is not chosen still reaches the router's gradient.
                    if !routed.deviations[token, layer].isFinite { damaged[worker].pointer[0] = 1 }
                }
                if configuration.aggregation == .mean {
                    let divisor = Float(layers)
                    for column in 0..<d { r[column] /= divisor }
                }
                let p = routed.probabilities.row(token)
                for layer in 0..<layers { p[layer] = rsae_dot(weights.router.row(layer), r, Int64(d)) }
                let chosen = softmax(p, count: layers)
                routed.selected[token] = Int32(chosen)
                var scale: Float = 1
                switch configuration.routing {
                case .hard:
                    if configuration.scalesByProbability { scale = p[chosen] }
                    u.update(repeating: 0, count: d)
                    rsae_add_scaled(u, scale, x.row(chosen), Int64(d))
                case .soft:
                    u.update(repeating: 0, count: d)
                    for layer in 0..<layers { rsae_add_scaled(u, p[layer], x.row(layer), Int64(d)) }
                }
                routed.scale.pointer[token] = scale
                let norm = rsae_dot(u, u, Int64(d))
                if !norm.isFinite || !p[chosen].isFinite { damaged[worker].pointer[0] = 1 }
                routed.squaredNorm.pointer[token] = norm
                let centered = routed.centered.row(token)
                let bias = weights.preBias.pointer
                for column in 0..<d { centered[column] = u[column] - bias[column] }
            }
        }
        guard damaged.allSatisfy({ $0.pointer[0] == 0 }) else {
            throw .notFinite(what: "an activation of layers \(configuration.layers)")
        }
    }

    /// Encodes routed tokens: a = W_enc (u − b_pre) + b_lat, the k largest kept (paper eq. 2; Gao et al. 2024 eq. 1),
    /// negative ones set to 0 in the corrected mode. `then` runs on each finished tile of tokens, on its worker, while
    /// the tile is still in the cache.
    ///
    /// - Precondition: `routed` and `latents` hold at least `count` tokens, and `latents` k of them each.
    public func encode(
        _ routed: RoutedBatch,
        count: Int,
        into latents: SparseLatents,
        then: (_ tokens: Range<Int>, _ worker: Int) -> Void = { _, _ in }
    ) {
        let m = configuration.latents
        let k = configuration.k
        let d = configuration.dModel
        precondition(count <= routed.capacity && count <= latents.capacity && latents.k == k, "no room for the latents")
        let rectified = configuration.rectified
        let weights = self.weights
        let tile = min(RouteEncoder.tile, max(count, 1))
        let preActivations = (0..<workers.count).map { _ in Matrix(rows: tile, columns: m) }
        let scratch = (0..<workers.count).map { _ in Matrix(rows: 3, columns: m + 16) }
        workers.forEach(count, tile: RouteEncoder.tile) { tokens, worker in
            let a = preActivations[worker]
            multiply(
                rows: tokens.count, columns: m, inner: d,
                routed.centered.row(tokens.lowerBound), stride: d,
                weights.encoder.pointer, stride: d, transposeB: true,
                into: a.pointer, stride: m)
            for token in tokens {
                let activations = latents.activations(of: token)
                rsae_top_k(
                    a.row(token - tokens.lowerBound), weights.latentBias.pointer, Int64(m), Int64(k),
                    latents.indices(of: token), activations, scratch[worker].pointer)
                if rectified {
                    // Not `max(0, a)`, which would hide a NaN.
                    for slot in 0..<k where activations[slot] < 0 { activations[slot] = 0 }
                }
            }
            then(tokens, worker)
        }
    }
}

/// Turns logits into probabilities in place and returns the place of the largest (the first of equals).
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
