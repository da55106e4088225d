import Glibc

/// The figures of one training step, measured before its update.
package struct StepReport: Sendable, Equatable {
    /// The step, counted from 0.
    package let step: Int
    /// Mean over tokens of ‖û − u‖² / ‖u‖²: NormMSE.
    package let loss: Float
    /// The AuxK term, weighted; 0 if there is none.
    package let auxiliaryLoss: Float
    /// The load-balance term, weighted; 0 without a router.
    package let balanceLoss: Float
    /// The sparsity term, weighted; 0 where k is fixed. A gated dictionary's includes its auxiliary reconstruction.
    package let sparsityLoss: Float
    /// 1 − Σ‖û − u‖² / Σ‖u − mean u‖².
    package let explainedVariance: Float
    /// Mean number of latents that fire on a token.
    package let l0: Float
    /// Fraction of latents that have not fired for the configured number of tokens.
    package let deadShare: Float
    /// Fraction of samples read from each of the configuration's layers; of a router by its own choice, as outside
    /// training.
    package let layerShares: [Float]

    /// Makes a report.
    init(
        step: Int, loss: Float, auxiliaryLoss: Float = 0, balanceLoss: Float = 0, sparsityLoss: Float = 0,
        explainedVariance: Float, l0: Float, deadShare: Float, layerShares: [Float]
    ) {
        self.step = step
        self.loss = loss
        self.auxiliaryLoss = auxiliaryLoss
        self.balanceLoss = balanceLoss
        self.sparsityLoss = sparsityLoss
        self.explainedVariance = explainedVariance
        self.l0 = l0
        self.deadShare = deadShare
        self.layerShares = layerShares
    }

    /// Entropy of `layerShares` in nats.
    package var routingEntropy: Float {
        Float(layerShares.reduce(0.0) { $1 > 0 ? $0 - Double($1) * log(Double($1)) : $0 })
    }
}
