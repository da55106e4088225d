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

/// A feature's firings on tokens that were routed to one layer (table `feature_layer`; only layers where it fired).
package struct FeatureLayerRecord: Equatable, Sendable {
    /// The latent's number.
    package let featureIndex: Int
    /// The decoder layer, counted from 0.
    package let layer: Int
    /// Tokens of this layer on which it fired.
    package let firedCount: Int
    /// Sum of its activations there.
    package let sumActivation: Double
    /// The largest of them.
    package let maxActivation: Float
    /// Sum of the router's weight over these firings; nil without a router.
    package let sumRouterWeight: Double?

    /// Mean of the router's weight over these firings; nil without a router.
    package var meanRouterWeight: Double? { sumRouterWeight.map { $0 / Double(firedCount) } }

    /// Describes a feature's part in a layer.
    package init(
        featureIndex: Int, layer: Int, firedCount: Int, sumActivation: Double, maxActivation: Float,
        sumRouterWeight: Double?
    ) {
        self.featureIndex = featureIndex
        self.layer = layer
        self.firedCount = firedCount
        self.sumActivation = sumActivation
        self.maxActivation = maxActivation
        self.sumRouterWeight = sumRouterWeight
    }
}

/// One of the (at most 33) token classes on which a feature fires most strongly (table `feature_token`).
///
/// A class is a token's text, trimmed and lower-cased. With 33 classes the counting protocol is exact at any
/// threshold: a 33rd class above it proves that the feature has more than 32.
package struct FeatureTokenRecord: Equatable, Sendable {
    /// How many classes of a feature are kept.
    package static let keptClassCount = 33

    /// The latent's number.
    package let featureIndex: Int
    /// The class.
    package let tokenClass: String
    /// Firings on tokens of the class.
    package let firedCount: Int
    /// The strongest activation on the class.
    package let activation1: Float
    /// The second strongest; nil if it fired once.
    package let activation2: Float?

    /// Describes a class.
    package init(featureIndex: Int, tokenClass: String, firedCount: Int, activation1: Float, activation2: Float?) {
        self.featureIndex = featureIndex
        self.tokenClass = tokenClass
        self.firedCount = firedCount
        self.activation1 = activation1
        self.activation2 = activation2
    }
}

/// A token that a feature's decoder vector promotes or suppresses through the unembedding (table `feature_logit`).
package struct FeatureLogit: Equatable, Sendable {
    /// The end of the list.
    package enum Direction: String, CaseIterable, Sendable {
        /// The largest values.
        case promoted
        /// The smallest values.
        case suppressed
    }

    /// The latent's number.
    package let featureIndex: Int
    /// The end of the list.
    package let direction: Direction
    /// Its rank, counted from 0 at the extreme.
    package let rank: Int
    /// The token's number in the model's vocabulary.
    package let tokenID: Int
    /// The change of the token's logit per unit of activation.
    package let value: Float

    /// Describes a token's place.
    package init(featureIndex: Int, direction: Direction, rank: Int, tokenID: Int, value: Float) {
        self.featureIndex = featureIndex
        self.direction = direction
        self.rank = rank
        self.tokenID = tokenID
        self.value = value
    }
}

/// A feature of the same dictionary whose decoder vector points the same way (table `feature_neighbor`).
package struct FeatureNeighbor: Equatable, Sendable {
    /// The latent's number.
    package let featureIndex: Int
    /// Its rank, counted from 0 at the nearest.
    package let rank: Int
    /// The neighbour's number.
    package let neighborIndex: Int
    /// Cosine of the two decoder vectors.
    package let cosine: Float

    /// Describes a neighbour.
    package init(featureIndex: Int, rank: Int, neighborIndex: Int, cosine: Float) {
        self.featureIndex = featureIndex
        self.rank = rank
        self.neighborIndex = neighborIndex
        self.cosine = cosine
    }
}

/// Another feature that fires on the same tokens (table `feature_cofiring`), estimated from a sample of the tokens.
package struct CofiringRecord: Equatable, Sendable {
    /// The other latent's number.
    package let otherIndex: Int
    /// The share of the feature's firings on which the other one fires as well.
    package let share: Double
    /// The share over the other's firing rate: 1 for independent features.
    package let lift: Double

    /// Describes a pair.
    package init(otherIndex: Int, share: Double, lift: Double) {
        self.otherIndex = otherIndex
        self.share = share
        self.lift = lift
    }
}

/// All rows of one feature found by indexing, to be written at once.
package struct FeatureEntry: Sendable {
    /// Its statistics.
    package let record: FeatureRecord
    /// Its firings by layer, only layers where it fired.
    package let layers: [FeatureLayerRecord]
    /// Its token classes, at most ``FeatureTokenRecord/keptClassCount``: those with the highest peaks.
    package let tokens: [FeatureTokenRecord]
    /// Its activations while firing, in equal bins; nil if it never fired, or where that is not known.
    package let linearHistogram: LinearHistogram?
    /// Its contexts, in any order.
    package let contexts: [ContextEntry]
    /// Features that fire on the same tokens, the most frequent first.
    package let cofirings: [CofiringRecord]

    /// Collects what was found.
    package init(
        record: FeatureRecord, layers: [FeatureLayerRecord] = [], tokens: [FeatureTokenRecord] = [],
        linearHistogram: LinearHistogram? = nil, contexts: [ContextEntry] = [], cofirings: [CofiringRecord] = []
    ) {
        self.record = record
        self.layers = layers
        self.tokens = tokens
        self.linearHistogram = linearHistogram
        self.contexts = contexts
        self.cofirings = cofirings
    }
}
