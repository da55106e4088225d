/// How a model scales its rotary position embedding beyond the positions it was first trained on.
package enum RotaryScaling: Sendable, Equatable {
    /// Not at all (`rope_type` `default`).
    case none
    /// All frequencies divided by a factor (`linear`; Chen et al. 2023, arXiv 2306.15595).
    case linear(factor: Double)
    /// Low frequencies divided by a factor, high ones kept, those between interpolated (`llama3`; Llama 3.1).
    case llama3(factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalPositions: Int)
}
