/// A figure of several seeds.
package struct SeedSample: Sendable, Equatable {
    /// The values, one a seed.
    package let values: [Double]

    /// - Precondition: there is a value.
    package init(_ values: [Double]) {
        precondition(!values.isEmpty, "a sample of nothing")
        self.values = values
    }

    /// Their mean.
    package var mean: Double { values.reduce(0, +) / Double(values.count) }

    /// Σ (value − mean)².
    private var scatter: Double { values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } }

    /// The smallest difference of two means that may be claimed: beyond it, equal expectations would show such a
    /// difference in less than 5 % of draws of the seeds (Student 1908, two samples of one variance, two-sided).
    ///
    /// t(0.975, ν) · s · √(1/n₁ + 1/n₂), with the variance s² of both samples about their means. Where both are single
    /// values, the variance is that of other samples of the same figure.
    ///
    /// - Parameter others: samples whose variance counts where these two have none.
    /// - Returns: nil where nothing was measured twice.
    package static func smallestClaim(
        _ one: SeedSample, _ other: SeedSample, others: [SeedSample] = []
    ) -> Double? {
        let pair = [one, other]
        let samples = pair.contains { $0.values.count > 1 } ? pair : others
        let freedom = samples.reduce(0) { $0 + $1.values.count - 1 }
        guard freedom > 0 else { return nil }
        let variance = samples.reduce(0) { $0 + $1.scatter } / Double(freedom)
        return quantile(freedom)
            * (variance * (1 / Double(one.values.count) + 1 / Double(other.values.count))).squareRoot()
    }

    /// t(0.975, ν): tabulated up to 30, beyond within 0.003.
    private static func quantile(_ freedom: Int) -> Double {
        let table = [
            12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
            2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
        ]
        return freedom <= table.count ? table[freedom - 1] : 1.96 + 2.45 / Double(freedom)
    }
}
