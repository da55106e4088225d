/// Count, mean, standard deviation and range of a feature's activations while firing, in one pass.
package struct ActivationMoments: Hashable, Sendable {
    /// The number of firings.
    package private(set) var count = 0
    /// The sum of the activations, each rounded to a multiple of 2⁻²⁴: below 2²⁹ such sums are exact, so those of parts
    /// of a stream add up to that of the whole.
    package private(set) var sum = 0.0
    /// The sum of the squared activations, rounded likewise.
    package private(set) var sumOfSquares = 0.0
    /// The largest activation; −∞ before the first firing.
    package private(set) var maximum = -Float.infinity
    /// The smallest activation; +∞ before the first firing.
    package private(set) var minimum = Float.infinity

    /// Starts without firings.
    package init() {}

    /// Adds one firing.
    package mutating func record(_ activation: Float) {
        let value = Double(activation)
        count += 1
        sum += Self.onGrid(value)
        sumOfSquares += Self.onGrid(value * value)
        maximum = max(maximum, activation)
        minimum = min(minimum, activation)
    }

    /// Rounds to a multiple of 2⁻²⁴ (coarser beyond 2²⁷): at 1.5 · 2²⁸ and above, that is the last place of a double.
    @inlinable
    package static func onGrid(_ value: Double) -> Double { (value + 0x1.8p28) - 0x1.8p28 }

    /// Adds the firings of another part of the stream.
    package mutating func merge(_ other: ActivationMoments) {
        count += other.count
        sum += other.sum
        sumOfSquares += other.sumOfSquares
        maximum = max(maximum, other.maximum)
        minimum = min(minimum, other.minimum)
    }

    /// The mean activation while firing; `nil` before the first firing.
    package var mean: Double? { count == 0 ? nil : sum / Double(count) }

    /// The population's standard deviation while firing (divisor n); `nil` before the first firing.
    package var standardDeviation: Double? {
        guard let mean else { return nil }
        // Round-off may leave a constant stream's variance just below 0.
        return max(0, sumOfSquares / Double(count) - mean * mean).squareRoot()
    }

    /// The share of tokens at which the feature fires; `nil` if there are no tokens.
    package func firingRate(tokenCount: Int) -> Double? {
        tokenCount > 0 ? Double(count) / Double(tokenCount) : nil
    }
}
