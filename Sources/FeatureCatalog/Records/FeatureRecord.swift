/// The statistics of one feature (table `feature`).
///
/// The catalog derives further columns: `firing_rate` and `is_dead` from `firedCount`; `peak_layer`,
/// `peak_layer_share` and `layer_entropy` from the ``FeatureLayerRecord`` rows; `top_token` from the
/// ``FeatureTokenRecord`` rows.
package struct FeatureRecord: Equatable, Sendable {
    /// Quantiles of the activation while firing.
    package struct Quantiles: Equatable, Sendable {
        /// 10th percentile.
        package let p10: Float
        /// The median.
        package let p50: Float
        /// 90th percentile.
        package let p90: Float
        /// 99th percentile.
        package let p99: Float

        /// Describes quantiles.
        package init(p10: Float, p50: Float, p90: Float, p99: Float) {
            self.p10 = p10
            self.p50 = p50
            self.p90 = p90
            self.p99 = p99
        }
    }

    /// The latent's number, counted from 0.
    package let featureIndex: Int
    /// Tokens on which it fired.
    package let firedCount: Int
    /// Sum of its activations. Terms are multiples of 2⁻²⁴, so sums of parts of a text add up to that of the
    /// whole exactly, up to 2²⁹.
    package let sumActivation: Double
    /// Sum of their squares, likewise.
    package let sumSquare: Double
    /// The smallest activation while firing; nil if it never fired, or where version 1 of the catalog did not keep it.
    package let minActivation: Float?
    /// The largest activation; nil if it never fired.
    package let maxActivation: Float?
    /// Quantiles while firing; nil if it never fired.
    package let quantiles: Quantiles?
    /// Euclidean norm of its decoder vector (for a crosscoder, of all layers' vectors together).
    package let decoderNorm: Double
    /// Documents in which it fired at least once.
    package let documentCount: Int
    /// Firings per bin of ``IndexingRecord/histogramEdges``; empty if it never fired.
    package let histogram: [Int]

    /// Describes a feature.
    package init(
        featureIndex: Int, firedCount: Int, sumActivation: Double, sumSquare: Double, minActivation: Float?,
        maxActivation: Float?, quantiles: Quantiles?, decoderNorm: Double, documentCount: Int, histogram: [Int]
    ) {
        self.featureIndex = featureIndex
        self.firedCount = firedCount
        self.sumActivation = sumActivation
        self.sumSquare = sumSquare
        self.minActivation = minActivation
        self.maxActivation = maxActivation
        self.quantiles = quantiles
        self.decoderNorm = decoderNorm
        self.documentCount = documentCount
        self.histogram = histogram
    }

    /// Mean activation while firing; nil if it never fired.
    package var meanActivation: Double? { firedCount == 0 ? nil : sumActivation / Double(firedCount) }

    /// Standard deviation while firing (divided by the count); nil if it never fired.
    package var stdActivation: Double? {
        guard let mean = meanActivation else { return nil }
        // Round-off may leave a constant stream's variance just below 0.
        return max(0, sumSquare / Double(firedCount) - mean * mean).squareRoot()
    }
}
