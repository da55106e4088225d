internal import Glibc

/// Rotary position embedding (Su et al. 2021, arXiv 2104.09864): the angles by which pairs of elements of queries and
/// keys are rotated.
package struct RotaryEmbedding: Sendable, Equatable {
    /// How many elements of each head are rotated, from its first on; an even number.
    package let dimension: Int
    /// `rope_theta`: the base of the frequencies.
    package let theta: Double
    /// How frequencies are scaled.
    package let scaling: RotaryScaling
    /// Whether element 2i is rotated with element 2i + 1, otherwise element i with element i + `dimension` / 2.
    package let pairsNeighbours: Bool

    /// A set of frequencies; which one a sequence has may depend on its length.
    package enum Variant: Hashable, Sendable {
        /// The only one, or that of short sequences.
        case usual
        /// That of sequences beyond the original positions (`longrope`).
        case long
        /// That of sequences of this many tokens (`dynamic`).
        case length(Int)
    }

    /// - Precondition: `dimension` is even.
    package init(dimension: Int, theta: Double, scaling: RotaryScaling, pairsNeighbours: Bool = false) {
        precondition(dimension % 2 == 0, "rotary position embedding turns pairs")
        self.dimension = dimension
        self.theta = theta
        self.scaling = scaling
        self.pairsNeighbours = pairsNeighbours
    }

    /// The most tokens for which there are frequencies, if that is more than the model's positions; otherwise 0.
    var longestSequence: Int {
        guard case .dynamic(let factor, let positions) = scaling else { return 0 }
        return Int(factor * Double(positions))
    }

    /// The frequencies for a sequence of this many tokens.
    package func variant(tokens: Int) -> Variant {
        switch scaling {
        case .none, .linear, .llama3, .yarn: .usual
        case .dynamic(_, let positions): tokens > positions ? .length(tokens) : .usual
        case .longrope(let scaling): tokens > scaling.originalPositions ? .long : .usual
        }
    }

    /// The factor of cosines and sines.
    package var amplitude: Float {
        switch scaling {
        case .none, .linear, .dynamic, .llama3: 1
        case .yarn(let scaling): Float(scaling.amplitude)
        case .longrope(let scaling): Float(scaling.amplitude)
        }
    }

    /// Radians per position for each of the `dimension / 2` pairs: θ^(−2i / dimension), scaled, in fp32 and in the order
    /// of operations of transformers' `modeling_rope_utils.py`, because at far positions a last bit of a frequency shows
    /// in the angle.
    package func inverseFrequencies(_ variant: Variant = .usual) -> [Float] {
        var base = Float(theta)
        if case .dynamic(let factor, let positions) = scaling, case .length(let tokens) = variant {
            let growth = factor * Double(tokens) / Double(positions) - (factor - 1)
            base = Float(theta * pow(growth, Double(dimension) / Double(dimension - 2)))
        }
        let powers = (0..<dimension / 2).map { powf(base, Float(2 * $0) / Float(dimension)) }
        switch scaling {
        case .none, .dynamic:
            return powers.map { 1 / $0 }
        case .linear(let factor):
            return powers.map { 1 / $0 / Float(factor) }
        case .llama3(let factor, let low, let high, let originalPositions):
            return powers.map { power in
                let frequency = 1 / power
                let wavelength = Float(2 * Double.pi) / frequency
                if wavelength > Float(Double(originalPositions) / low) { return frequency / Float(factor) }
                if wavelength < Float(Double(originalPositions) / high) { return frequency }
                let smooth = (Float(originalPositions) / wavelength - Float(low)) / Float(high - low)
                return (1 - smooth) * frequency / Float(factor) + smooth * frequency
            }
        case .yarn(let scaling):
            return Self.interpolated(powers, scaling, dimension: dimension, theta: theta)
        case .longrope(let scaling):
            let divisors = variant == .long ? scaling.long : scaling.short
            return zip(divisors, powers).map { 1 / (Float($0) * $1) }
        }
    }

    /// Between the pair that turns `fastRotations` times within the original positions and the one that turns
    /// `slowRotations` times, the part that is divided grows evenly from none to all.
    private static func interpolated(
        _ powers: [Float], _ scaling: YarnScaling, dimension: Int, theta: Double
    ) -> [Float] {
        func pair(turning rotations: Double) -> Double {
            Double(dimension) * log(Double(scaling.originalPositions) / (rotations * 2 * Double.pi)) / (2 * log(theta))
        }

        let (fast, slow) = (pair(turning: scaling.fastRotations), pair(turning: scaling.slowRotations))
        let low = max(scaling.truncates ? fast.rounded(.down) : fast, 0)
        var high = min(scaling.truncates ? slow.rounded(.up) : slow, Double(dimension - 1))
        if low == high { high += 0.001 }
        return powers.enumerated().map { index, power in
            let place = (Float(index) - Float(low)) / Float(high - low)
            let kept = 1 - min(max(place, 0), 1)
            return 1 / (Float(scaling.factor) * power) * (1 - kept) + 1 / power * kept
        }
    }

    /// Writes cosines and sines for positions from 0 on to consecutive rows of two tables, each `[rows × dimension / 2]`.
    func write(
        _ variant: Variant, positions: Int, cosine: UnsafeMutablePointer<Float>, sine: UnsafeMutablePointer<Float>
    ) {
        let frequencies = inverseFrequencies(variant)
        let amplitude = amplitude
        for position in 0..<positions {
            for (pair, frequency) in frequencies.enumerated() {
                let angle = Float(position) * frequency
                let place = position * frequencies.count + pair
                cosine[place] = cosf(angle) * amplitude
                sine[place] = sinf(angle) * amplitude
            }
        }
    }
}
