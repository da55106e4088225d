/// How a model scales its rotary position embedding beyond the positions it was first trained on.
package enum RotaryScaling: Sendable, Equatable {
    /// Not at all (`rope_type` `default`).
    case none
    /// All frequencies divided by a factor (`linear`; Chen et al. 2023, arXiv 2306.15595).
    case linear(factor: Double)
    /// A base that grows with the length of a sequence beyond `positions` (`dynamic`).
    case dynamic(factor: Double, positions: Int)
    /// Low frequencies divided by a factor, high ones kept, those between interpolated (`llama3`; Llama 3.1).
    case llama3(factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalPositions: Int)
    /// The same by the number of rotations within the first positions (`yarn`; Peng et al. 2023, arXiv 2309.00071).
    case yarn(YarnScaling)
    /// A divisor for each frequency, of two sets by the length of a sequence (`longrope`; Ding et al. 2024, arXiv
    /// 2402.13753).
    case longrope(LongropeScaling)
}

extension RotaryScaling {
    /// What `rope_type` calls it.
    package var name: String {
        switch self {
        case .none: "default"
        case .linear: "linear"
        case .dynamic: "dynamic"
        case .llama3: "llama3"
        case .yarn: "yarn"
        case .longrope: "longrope"
        }
    }

    /// All names of `rope_type`.
    package static let names = ["default", "linear", "dynamic", "llama3", "yarn", "longrope"]
}

/// The settings of `yarn`.
package struct YarnScaling: Sendable, Equatable {
    package var factor: Double
    package var originalPositions: Int
    /// Rotations within the original positions from which on a frequency is kept.
    package var fastRotations: Double
    /// Rotations within the original positions up to which a frequency is divided by the factor.
    package var slowRotations: Double
    /// Whether the borders of the interpolation are whole pairs.
    package var truncates: Bool
    /// The factor of cosines and sines.
    package var amplitude: Double
}

/// The settings of `longrope`.
package struct LongropeScaling: Sendable, Equatable {
    /// The divisors for sequences of up to `originalPositions` tokens, one for each pair.
    package var short: [Double]
    /// The divisors for longer sequences.
    package var long: [Double]
    package var originalPositions: Int
    /// The factor of cosines and sines.
    package var amplitude: Double
}
