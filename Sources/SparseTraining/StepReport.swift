import Glibc

/// What one training step found, measured before its update.
public struct StepReport: Sendable, Equatable {
    /// The step, counted from 0.
    public let step: Int
    /// Mean over tokens of ‖û − u‖² / ‖u‖²: NormMSE.
    public let loss: Float
    /// The AuxK term, weighted; 0 if there is none.
    public let auxiliaryLoss: Float
    /// The load-balance term, weighted.
    public let balanceLoss: Float
    /// 1 − Σ‖û − u‖² / Σ‖u − mean u‖².
    public let explainedVariance: Float
    /// Mean number of latents that fire on a token.
    public let l0: Float
    /// Part of the latents that have not fired for the configured number of tokens.
    public let deadShare: Float
    /// Part of the tokens routed to each of the configuration's layers.
    public let layerShares: [Float]

    /// Entropy of `layerShares` in nats.
    public var routingEntropy: Float {
        Float(layerShares.reduce(0.0) { $1 > 0 ? $0 - Double($1) * log(Double($1)) : $0 })
    }
}
