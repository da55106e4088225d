import CKernels
package import LinearAlgebra
import Vocabulary

/// Edits latents where a dictionary reads the residual stream, and adds the change of the reconstruction to the stream.
///
/// A token is read at the layers that the dictionary chooses for it in the *unedited* model on the same tokens: its
/// sites. At a site, with normalised stream x, latents ẑ and edited latents ẑ',
///
///     h ← h + std · (ẑ' − ẑ) · W_dec
///
/// so the reconstruction error stays. If ẑ' = ẑ nothing is added, not even zeros. By
/// architecture:
///
/// - `topk`, `vanilla`, `gated`, `jumprelu`: their layer; ẑ is read from the current stream, including the effects
///   of earlier edits.
/// - `route` with hard routing: the same at the layer the router chose. In the reference the reading is s · x, so its
///   reconstruction is of s · x, and the change is divided by s.
/// - `random`: the same at the layer drawn by the token's draw key.
/// - `mlsae`: the same at every layer.
/// - `route` with soft routing reads u = Σ_l p_l x_l, available only after the last layer. ẑ is therefore that of
///   the unedited model, and layer l gets the share p_l / Σ p² of the change: the smallest changes of the x_l so that u
///   changes by (ẑ' − ẑ) · W_dec; for p of one layer alone they are those of hard routing.
/// - `crosscoder` reads all layers at once: ẑ is that of the unedited model as well, and every layer gets its own
///   decoder's change. In both cases a layer's share is added on top of the effects of earlier changes.
///
/// `replacing` replaces h by the denormalised reconstruction from the edited latents, edited or not, as the authors'
/// code does: std · x̂' + mean with x̂' = (ẑ' · W_dec + b_pre) / s. With soft routing no layer has a reconstruction of
/// its own.
package struct StreamIntervention: Sendable {
    /// The dictionary.
    package let encoder: DictionaryEncoder
    /// The edits of its latents.
    package let edits: LatentEdits
    /// Whether the stream is replaced by the reconstruction.
    package let replacing: Bool

    /// Describes an intervention.
    ///
    /// - Throws: `SparseCodingError.setting` for replacing with soft routing; what `LatentEdits` throws.
    package init(
        encoder: DictionaryEncoder, edits: [LatentEdit], replacing: Bool = false
    ) throws(SparseCodingError) {
        let configuration = encoder.configuration
        guard !replacing || !(configuration.routes && configuration.routing == .soft) else {
            throw .setting(
                name: "the way to steer with soft routing", found: "replacing the stream",
                allowed: "adding the change, since a mix of layers has no reconstruction at any of them")
        }
        self.encoder = encoder
        self.edits = try LatentEdits(edits, of: configuration)
        self.replacing = replacing
    }

    /// Whether the latents need all layers, so that they are taken from the unedited model.
    private var readsAllLayers: Bool {
        let configuration = encoder.configuration
        return configuration.architecture == .crosscoder || (configuration.routes && configuration.routing == .soft)
    }

    /// Finds the layers at which tokens are read.
    ///
    /// - Parameter unedited: the tokens' streams in the unedited model, with their draw keys.
    /// - Throws: as `DictionaryEncoder.read`.
    package func sites(of unedited: ActivationBatch) throws(SparseCodingError) -> InterventionSites {
        let reading = AutoencoderInput(capacity: unedited.count, configuration: encoder.configuration)
        try encoder.read(unedited, into: reading)
        guard readsAllLayers else { return InterventionSites(count: unedited.count, reading: reading, latents: nil) }
        let latents = SparseLatents(capacity: unedited.count, configuration: encoder.configuration)
        encoder.encode(reading, count: unedited.count, into: latents)
        return InterventionSites(count: unedited.count, reading: reading, latents: latents)
    }

    /// Changes the streams of some tokens after a layer, if the dictionary reads any of them there.
    ///
    /// - Parameters:
    ///   - sites: of those tokens, in order.
    ///   - layer: the decoder layer, counted from 0.
    ///   - residual: the streams after it, `[rows × dModel]`.
    ///   - firstRow: the row of the first of the tokens.
    /// - Throws: `SparseCodingError.notFinite` where a stream holds an infinity or a NaN.
    package func apply(
        _ sites: InterventionSites, after layer: Int, to residual: Matrix, firstRow: Int
    ) throws(SparseCodingError) {
        let configuration = encoder.configuration
        guard let slot = configuration.layers.firstIndex(of: layer), !edits.edits.isEmpty || replacing else { return }
        if let latents = sites.latents {
            for token in 0..<sites.count {
                write(
                    sample: token, latents, into: residual.row(firstRow + token),
                    at: Site(
                        slot: slot, mean: sites.reading.means[token, slot],
                        deviation: sites.reading.deviations[token, slot],
                        share: configuration.architecture == .crosscoder ? 1 : sites.share(of: token, slot: slot)))
            }
        } else {
            let tokens = (0..<sites.count).filter {
                configuration.architecture == .mlsae || sites.reading.selected[$0] == Int32(slot)
            }
            try editHere(tokens, sites, slot: slot, residual, firstRow: firstRow)
        }
    }

    /// Reads tokens at one layer from their current streams, and edits them.
    private func editHere(
        _ tokens: [Int], _ sites: InterventionSites, slot: Int, _ residual: Matrix, firstRow: Int
    ) throws(SparseCodingError) {
        guard !tokens.isEmpty else { return }
        let configuration = encoder.configuration
        let d = configuration.dModel
        let here = AutoencoderInput(capacity: tokens.count, configuration: configuration)
        var places: [Site] = []
        for (sample, token) in tokens.enumerated() {
            let u = here.centered.row(sample)
            let (mean, deviation) = configuration.input.apply(residual.row(firstRow + token), width: d, into: u)
            guard deviation.isFinite else {
                throw .notFinite(what: "an edited activation of layer \(configuration.layers[slot])")
            }

            let scale = configuration.scalesByProbability ? sites.reading.scale.pointer[token] : 1
            if scale != 1 { for column in 0..<d { u[column] *= scale } }
            if configuration.subtractsPreBias { rsae_add_scaled(u, -1, encoder.weights.preBias.pointer, Int64(d)) }
            places.append(Site(slot: 0, mean: mean, deviation: deviation, share: 1 / scale))
        }

        let latents = SparseLatents(capacity: tokens.count, width: configuration.k ?? configuration.latents)
        encoder.encode(here, count: tokens.count, into: latents)
        for (sample, token) in tokens.enumerated() {
            write(sample: sample, latents, into: residual.row(firstRow + token), at: places[sample])
        }
    }

    /// The reading of a token at a layer.
    private struct Site {
        /// The layer's part of a decoder row.
        let slot: Int
        let mean: Float
        let deviation: Float
        /// Factor from a change of the reading to one of this layer's standardised stream.
        let share: Float
    }

    /// Writes the edited stream of one token.
    private func write(
        sample: Int, _ latents: SparseLatents, into h: UnsafeMutablePointer<Float>, at site: Site
    ) {
        let configuration = encoder.configuration
        let d = Int64(configuration.dModel)
        let offset = configuration.parts > 1 ? site.slot * configuration.dModel : 0
        let changes = edits.changes(of: sample, in: latents)
        func add(_ latent: Int, _ activation: Float) {
            rsae_add_scaled(
                h, site.deviation * site.share * activation, encoder.weights.decoder.row(latent) + offset, d)
        }
        if replacing {
            h.update(repeating: site.mean, count: configuration.dModel)
            if configuration.hasPreBias {
                rsae_add_scaled(h, site.deviation * site.share, encoder.weights.preBias.pointer + offset, d)
            }

            let indices = latents.indices(of: sample)
            for slot in 0..<Int(latents.counts[sample]) {
                add(Int(indices[slot]), latents.activations(of: sample)[slot])
            }
        }
        for change in changes { add(change.latent, change.difference) }
    }
}
