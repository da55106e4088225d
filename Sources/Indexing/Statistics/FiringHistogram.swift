import Foundation

/// A histogram of a feature's activations, in fixed bins of logarithmic width.
///
/// Four bins to an octave from 2⁻¹⁰ to 2¹⁰: edge i is 2^(i/4 − 10), i = 0…80, each about 19 % above the last. Bin 0
/// takes everything below 2⁻¹⁰ (negative values too), bin i (1…80) the values from edge i − 1 up to but without edge i,
/// bin 81 everything from 2¹⁰ on. Equal edges for all features make histograms comparable and mergeable.
package struct FiringHistogram: Sendable {
    /// The number of bins, with the two open ones.
    package static let binCount = 82
    /// The 81 edges between the bins, ascending.
    package static let edges: [Float] = (0...80).map { index in
        Float(sign: .plus, exponent: index / 4 - 10, significand: steps[index % 4])
    }

    /// 2^(i/4) for i = 0…3, rounded to single precision.
    private static let steps: [Float] = [1, 1.189207, 1.4142135, 1.6817929]

    private var storage = InlineArray<82, UInt64>(repeating: 0)

    /// Starts without firings.
    package init() {}

    /// Restores a histogram from the counts of its bins; `nil` unless there are 82 and their sum can be represented.
    package init?(counts: [UInt64]) {
        guard counts.count == Self.binCount else { return nil }
        var sum: UInt64 = 0
        for (bin, count) in counts.enumerated() {
            let (next, overflow) = sum.addingReportingOverflow(count)
            guard !overflow, next <= UInt64(Int.max) else { return nil }
            sum = next
            storage[bin] = count
        }
    }

    /// The number of firings in each of the 82 bins.
    package var counts: [UInt64] { (0..<Self.binCount).map { storage[$0] } }

    /// The number of firings.
    package var total: UInt64 { counts.reduce(0, +) }

    /// The bin of an activation. A NaN is in bin 0.
    package static func bin(of activation: Float) -> Int {
        guard activation >= 0x1p-10 else { return 0 }
        guard activation < 0x1p10 else { return binCount - 1 }
        // Of a normal number the exponent's bits, and the significand's behind its leading 1; those of the steps likewise.
        let (exponent, fraction) = (Int(activation.bitPattern >> 23) - 127, activation.bitPattern & 0x7F_FFFF)
        let fractions: (UInt32, UInt32, UInt32) = (
            Float(1.189207).bitPattern & 0x7F_FFFF, Float(1.4142135).bitPattern & 0x7F_FFFF,
            Float(1.6817929).bitPattern & 0x7F_FFFF
        )
        let quarter =
            (fraction >= fractions.0 ? 1 : 0) + (fraction >= fractions.1 ? 1 : 0) + (fraction >= fractions.2 ? 1 : 0)
        return 1 + (exponent + 10) * 4 + quarter
    }

    /// Adds one firing.
    package mutating func record(_ activation: Float) {
        storage[Self.bin(of: activation)] += 1
    }

    /// Adds the firings of another part of the stream.
    package mutating func merge(_ other: FiringHistogram) {
        for bin in 0..<Self.binCount { storage[bin] += other.storage[bin] }
    }

    /// The activation below which a fraction of the firings lie, interpolated within its bin.
    ///
    /// Firings are taken as spread evenly over the logarithm within a bin, and evenly over the values in the two open
    /// bins, whose far ends are `minimum` and `maximum`. The result is at most one bin's width, 19 %, off.
    ///
    /// - Parameters:
    ///   - share: 0…1.
    ///   - minimum: the smallest activation recorded.
    ///   - maximum: the largest activation recorded.
    /// - Returns: `nil` if nothing was recorded.
    package func quantile(_ share: Double, minimum: Float, maximum: Float) -> Float? {
        precondition(share >= 0 && share <= 1, "a share is within 0…1")
        precondition(minimum <= maximum || total == 0, "the range is empty")
        let total = total
        guard total > 0 else { return nil }
        let place = share * Double(total)
        var below = 0.0
        for bin in 0..<Self.binCount where storage[bin] > 0 {
            let inBin = Double(storage[bin])
            if place <= below + inBin {
                return min(maximum, max(minimum, Self.interpolate((place - below) / inBin, bin, minimum, maximum)))
            }
            below += inBin
        }
        return maximum
    }

    private static func interpolate(_ part: Double, _ bin: Int, _ minimum: Float, _ maximum: Float) -> Float {
        let lower = bin == 0 ? minimum : max(minimum, edges[bin - 1])
        let upper = bin == binCount - 1 ? maximum : min(maximum, edges[bin])
        if bin == 0 || bin == binCount - 1 { return lower + Float(part) * (upper - lower) }
        return Float(Double(lower) * pow(Double(upper) / Double(lower), part))
    }
}
