import Foundation
import RandomNumbers

/// A mean with its interval by the percentile bootstrap (Efron and Tibshirani 1993, §13.3), seeded.
package struct BootstrapInterval: Hashable, Sendable {
    /// The mean of the values.
    package let mean: Double
    /// The lower end.
    package let low: Double
    /// The upper end.
    package let high: Double

    /// Resamples the values with replacement, as many as there are.
    ///
    /// - Parameters:
    ///   - values: one for each sampled unit, such as a feature or a document.
    ///   - coverage: the fraction of resampled means within the interval.
    ///   - resamples: how often; at 2000 the ends are accurate to about a hundredth of the interval.
    ///   - seed: of the resampling.
    /// - Returns: nil without values.
    package init?(of values: [Double], coverage: Double = 0.95, resamples: Int = 2000, seed: UInt64 = 0) {
        guard !values.isEmpty, resamples > 0 else { return nil }
        var generator = SplitMix64(seed: seed)
        var means: [Double] = []
        means.reserveCapacity(resamples)
        for _ in 0..<resamples {
            var sum = 0.0
            for _ in values.indices { sum += values[generator.next(below: values.count)] }
            means.append(sum / Double(values.count))
        }
        means.sort()
        func quantile(_ share: Double) -> Double {
            let place = share * Double(means.count - 1)
            let below = Int(place)
            guard below + 1 < means.count else { return means[means.count - 1] }
            return means[below] + (place - Double(below)) * (means[below + 1] - means[below])
        }
        mean = values.reduce(0, +) / Double(values.count)
        low = quantile((1 - coverage) / 2)
        high = quantile((1 + coverage) / 2)
    }

    /// The mean alone, where nobody waits for the resampling: both ends are the mean.
    ///
    /// - Returns: nil without values.
    package init?(meanOf values: [Double]) {
        guard !values.isEmpty else { return nil }
        mean = values.reduce(0, +) / Double(values.count)
        (low, high) = (mean, mean)
    }

    /// The interval of a count, the limit of infinitely many resamples: the quantiles of the binomial
    /// distribution with the observed rate.
    ///
    /// - Parameters:
    ///   - hits: units that count; the mean.
    ///   - units: all that there are.
    ///   - coverage: the fraction of resampled counts within the interval.
    /// - Precondition: 0 ≤ hits ≤ units.
    package init(count hits: Int, of units: Int, coverage: Double = 0.95) {
        precondition(hits >= 0 && hits <= units, "\(hits) of \(units)")
        mean = Double(hits)
        guard hits > 0, hits < units else {
            (low, high) = (Double(hits), Double(hits))
            return
        }

        let share = Double(hits) / Double(units)
        // Beyond ten standard deviations there is nothing to add.
        let reach = Int(10 * (Double(hits) * (1 - share)).squareRoot()) + 10
        let first = max(0, hits - reach)
        let others = Double(units - first)
        let ways: Double = lgamma(Double(units) + 1) - lgamma(Double(first) + 1) - lgamma(others + 1)
        let odds = share / (1 - share)
        var probability: Double = exp(ways + Double(first) * log(share) + others * log1p(-share))
        var below = 0.0
        var ends: (low: Double?, high: Double?) = (nil, nil)
        for count in first...min(units, hits + reach) {
            below += probability
            if ends.low == nil, below >= (1 - coverage) / 2 { ends.low = Double(count) }
            if ends.high == nil, below >= (1 + coverage) / 2 { ends.high = Double(count) }
            probability *= odds * Double(units - count) / Double(count + 1)
        }
        low = ends.low ?? Double(hits)
        high = ends.high ?? Double(hits)
    }
}
