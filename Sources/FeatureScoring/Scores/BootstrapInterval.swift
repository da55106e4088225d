/// A mean and where it lies: the percentile bootstrap (Efron and Tibshirani 1993, §13.3), drawn by a seed.
public struct BootstrapInterval: Hashable, Sendable {
    /// The mean of the values.
    public let mean: Double
    /// The lower end.
    public let low: Double
    /// The upper end.
    public let high: Double

    /// Resamples as many values as there are, over and over.
    ///
    /// - Parameters:
    ///   - values: one for each unit that was drawn, such as a feature or a document.
    ///   - coverage: the share of resampled means within the interval.
    ///   - resamples: how often; the ends are accurate to about one in a hundred of the interval at 2000.
    ///   - seed: everything follows from it.
    /// - Returns: nil without values.
    public init?(of values: [Double], coverage: Double = 0.95, resamples: Int = 2000, seed: UInt64 = 0) {
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
}
