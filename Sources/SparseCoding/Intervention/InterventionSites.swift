import LinearAlgebra

/// Where a dictionary reads some tokens in the unedited model: see `StreamIntervention.sites(of:)`.
package struct InterventionSites: Sendable {
    /// How many tokens.
    package let count: Int
    /// How they are read: the chosen layers, their weights and scales.
    let reading: AutoencoderInput
    /// Their latents, where these need all layers.
    let latents: SparseLatents?

    /// p_l / Σ p²: the share of a change of the mix that a layer gets.
    func share(of token: Int, slot: Int) -> Float {
        let p = reading.probabilities.row(token)
        let squares = (0..<reading.probabilities.columns).reduce(Float(0)) { $0 + p[$1] * p[$1] }
        return p[slot] / squares
    }
}
