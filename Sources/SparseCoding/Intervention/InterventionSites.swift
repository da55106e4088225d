import LinearAlgebra

/// The layers at which a dictionary reads some tokens in the unedited model: see `StreamIntervention.sites(of:)`.
package struct InterventionSites: Sendable {
    /// Number of tokens.
    package let count: Int
    /// Their reading: the chosen layers, their weights and scales.
    let reading: AutoencoderInput
    /// Their latents, if these need all layers.
    let latents: SparseLatents?

    /// p_l / Σ p²: a layer's share of a change of the mixture.
    func share(of token: Int, slot: Int) -> Float {
        let p = reading.probabilities.row(token)
        let squares = (0..<reading.probabilities.columns).reduce(Float(0)) { $0 + p[$1] * p[$1] }
        return p[slot] / squares
    }
}
