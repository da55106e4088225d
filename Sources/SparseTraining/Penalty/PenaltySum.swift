/// Sums over a batch's samples in the backward pass of a penalised dictionary, one of each for every latent: rows
/// of one matrix `[rows × latents]`.
enum PenaltySum: Int, CaseIterable {
    /// How many samples it fired on.
    case fired
    /// The size that the penalty sums: its activation, a gated one's ReLU of the gate, and 1 for a JumpReLU above its
    /// threshold.
    case size
    /// ∂L/∂b_lat; of a gated dictionary ∂L/∂b_gate.
    case bias
    /// ∂L/∂b_mag of a gated dictionary, ∂L/∂(threshold) of a JumpReLU.
    case second
    /// ∂L/∂r_mag of a gated dictionary.
    case scale
    /// ⟨∂L/∂W_dec[j], W_dec[j]⟩ = Σ z ⟨∂L/∂û, W_dec[j]⟩; only where latents are followed by entries.
    case parallel
}
