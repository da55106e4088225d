import SparseCoding

/// Revives dead latents: AuxK (Gao et al. 2024, arXiv 2406.04093, appendix A.2).
///
/// L += α · min(dead / k_aux, 1) · Σ‖ê − e‖² / Σ‖e − mean e‖², with e = u − û detached and ê decoded from the k_aux
/// largest pre-activations among dead latents, without b_pre. Deviation: the term is estimated on an evenly spaced part
/// of the batch, small enough that its products cost at most a nineteenth of the encode product (`TopKTrainer+DeadLatents.swift`).
package struct AuxiliaryLoss: Sendable, Encodable, Equatable {
    /// α.
    package var coefficient: Float
    /// k_aux, the most dead latents a token uses.
    package var k: Int

    /// Makes the term.
    package init(coefficient: Float = 1 / 32, k: Int) {
        self.coefficient = coefficient
        self.k = k
    }

    /// The chosen term, or the default; nil if its weight is 0.
    ///
    /// - Throws: `SparseCodingError.setting` for a value out of range.
    init?(_ choices: Hyperparameters, _ setup: TrainingSetup) throws(SparseCodingError) {
        coefficient = try Hyperparameters.auxiliaryCoefficient.value(choices.auxiliaryCoefficient, setup)
        if coefficient == 0 { return nil }
        k = try Hyperparameters.auxiliaryK.value(choices.auxiliaryK, setup)
    }
}
