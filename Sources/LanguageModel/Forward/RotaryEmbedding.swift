internal import Glibc
package import LinearAlgebra

/// Rotary position embedding (Su et al. 2021, arXiv 2104.09864): the angles by which pairs of elements of queries and
/// keys are rotated.
package struct RotaryEmbedding: Sendable, Equatable {
    /// Radians per position for each of the `headDimension / 2` pairs.
    package let inverseFrequencies: [Float]

    /// Computes the frequencies θ^(−2i / headDimension) and scales them, in fp32 and in the order of operations of
    /// transformers' `modeling_rope_utils.py`, because at far positions a last bit of a frequency shows in the angle.
    ///
    /// - Precondition: `headDimension` is even.
    package init(headDimension: Int, theta: Double, scaling: RotaryScaling) {
        precondition(headDimension % 2 == 0, "rotary position embedding turns pairs")
        let plain = (0..<headDimension / 2).map { pair in
            1 / powf(Float(theta), Float(2 * pair) / Float(headDimension))
        }
        switch scaling {
        case .none:
            inverseFrequencies = plain
        case .linear(let factor):
            inverseFrequencies = plain.map { $0 / Float(factor) }
        case .llama3(let factor, let low, let high, let originalPositions):
            inverseFrequencies = plain.map { frequency in
                let wavelength = Float(2 * Double.pi) / frequency
                if wavelength > Float(Double(originalPositions) / low) { return frequency / Float(factor) }
                if wavelength < Float(Double(originalPositions) / high) { return frequency }
                let smooth = (Float(originalPositions) / wavelength - Float(low)) / Float(high - low)
                return (1 - smooth) * frequency / Float(factor) + smooth * frequency
            }
        }
    }

    /// Cosines and sines for positions `0..<positions`, each `[positions × headDimension / 2]`, row-major.
    package func tables(positions: Int) -> (cosine: Matrix, sine: Matrix) {
        let cosine = Matrix(rows: positions, columns: inverseFrequencies.count)
        let sine = Matrix(rows: positions, columns: inverseFrequencies.count)
        for position in 0..<positions {
            for (pair, frequency) in inverseFrequencies.enumerated() {
                let angle = Float(position) * frequency
                cosine[position, pair] = cosf(angle)
                sine[position, pair] = sinf(angle)
            }
        }
        return (cosine, sine)
    }
}
