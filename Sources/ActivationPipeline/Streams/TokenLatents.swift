import LinearAlgebra
package import SparseCoding

/// The latents that fire on each token, and the layer of each.
///
/// If a token is one sample, these are the encoded latents. In an MLSAE each layer of a token is a sample of its own;
/// there a token has every latent that fires at any layer, with its largest activation and the layer of that (the first
/// of equal ones): a feature fires at most once on a token.
package struct TokenLatents {
    /// One sample a token.
    package let latents: SparseLatents
    private let routed: AutoencoderInput
    /// The layer of every slot of `latents`; nil if a token has one layer.
    private let places: [Int32]?

    /// Whether all latents of a token fire at one layer.
    package var isOfOneLayer: Bool { places == nil }

    /// Gathers the latents of some tokens.
    package init(
        _ encoded: SparseLatents, _ routed: AutoencoderInput, count: Int, _ configuration: DictionaryConfiguration
    ) {
        self.routed = routed
        let layers = configuration.samplesPerToken
        guard layers > 1 else {
            latents = encoded
            places = nil
            return
        }

        let width = min(layers * encoded.width, configuration.latents)
        let merged = SparseLatents(capacity: count, width: width)
        var places = Array(repeating: Int32(0), count: count * width)
        for token in 0..<count {
            var best: [Int32: (activation: Float, place: Int32)] = [:]
            for place in 0..<layers {
                let sample = token * layers + place
                let (indices, activations) = (encoded.indices(of: sample), encoded.activations(of: sample))
                for slot in 0..<Int(encoded.counts[sample]) where activations[slot] != 0 {
                    if let known = best[indices[slot]], known.activation >= activations[slot] { continue }
                    best[indices[slot]] = (activations[slot], Int32(truncatingIfNeeded: place))
                }
            }
            merged.counts[token] = Int32(truncatingIfNeeded: best.count)
            for (slot, index) in best.keys.sorted().enumerated() {
                let (activation, place) = best[index] ?? (0, 0)
                merged.indices(of: token)[slot] = index
                merged.activations(of: token)[slot] = activation
                places[token * width + slot] = place
            }
        }
        latents = merged
        self.places = places
    }

    /// The layer at which a latent fires on a token, as an index into the configuration's layers; if it does not fire,
    /// the layer that the token is read from, or the first.
    package func layer(of feature: Int, at row: Int) -> Int {
        guard let places else { return Int(routed.selected[row]) }
        guard let slot = slot(of: feature, at: row) else { return 0 }
        return Int(places[row * latents.width + slot])
    }

    /// The layer at which the latent in a slot of `latents` fires, as an index into the configuration's layers.
    package func layer(ofSlot slot: Int, at row: Int) -> Int {
        places.map { Int($0[row * latents.width + slot]) } ?? Int(routed.selected[row])
    }

    /// The router's weight of a layer; 1 without a router.
    package func weight(ofLayer layer: Int, at row: Int) -> Float {
        places == nil ? routed.probabilities.row(row)[layer] : 1
    }

    /// A latent's activation at a token; 0 where it does not fire.
    package func activation(of feature: Int, at row: Int) -> Float {
        slot(of: feature, at: row).map { latents.activations(of: row)[$0] } ?? 0
    }

    private func slot(of feature: Int, at row: Int) -> Int? {
        let indices = latents.indices(of: row)
        var range = 0..<Int(latents.counts[row])
        while !range.isEmpty {
            let middle = (range.lowerBound + range.upperBound) / 2
            if Int(indices[middle]) == feature { return middle }
            range = Int(indices[middle]) < feature ? middle + 1..<range.upperBound : range.lowerBound..<middle
        }
        return nil
    }
}
