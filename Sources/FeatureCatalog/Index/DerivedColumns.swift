import Foundation
import Vocabulary

/// The columns of `feature` that follow from its layers and token classes. They are stored for filtering and
/// sorting, since computing them for 10⁵ features in every query would be slow.
package struct DerivedColumns: Equatable {
    /// The layer with most firings, the lowest of equals; nil where it never fired.
    package var peakLayer: Int?
    /// That layer's fraction of the firings.
    package var peakLayerShare: Double?
    /// Entropy of the firings over layers, nats.
    package var layerEntropy: Double?
    /// The class with most firings.
    package var topToken: String?
    /// The class with the strongest firing.
    package var strongestToken: String?
    /// The counting threshold below which it has more than 32 token classes: the 33rd highest peak of a class.
    package var countedFrom: Float?
    /// The counting threshold from which on it has fewer than 5 contexts: the 5th highest activation kept.
    package var countedBelow: Float?

    /// Computes the columns.
    ///
    /// - Parameters:
    ///   - layers: Where it fired, by layer.
    ///   - tokens: Its token classes.
    package init(layers: [(layer: Int, count: Int)], tokens: [FeatureTokenRecord]) {
        // A file from elsewhere may hold counts whose sum is beyond Int; below 2⁵³ this is the same.
        let total = layers.reduce(0) { $0 + Double($1.count) }
        var most = 0
        var entropy = 0.0
        for (layer, count) in layers.sorted(by: { $0.layer < $1.layer }) where count > 0 {
            let share = Double(count) / total
            entropy -= share * log(share)
            if count > most {
                most = count
                peakLayer = layer
                peakLayerShare = share
            }
        }
        // One layer alone gives −1·log 1, which is −0.
        layerEntropy = most > 0 ? max(0, entropy) : nil
        topToken =
            tokens.min {
                ($1.firedCount, $1.activation1, $0.tokenClass) < ($0.firedCount, $0.activation1, $1.tokenClass)
            }?.tokenClass
        strongestToken =
            tokens.min {
                if $0.activation1 != $1.activation1 { return $0.activation1 > $1.activation1 }
                if $0.firedCount != $1.firedCount { return $0.firedCount > $1.firedCount }
                // As SQLite compares text.
                return $0.tokenClass.utf8.lexicographicallyPrecedes($1.tokenClass.utf8)
            }?.tokenClass
        let peaks = tokens.map(\.activation1).sorted(by: >)
        let kept = (peaks + tokens.compactMap(\.activation2)).sorted(by: >)
        countedFrom =
            peaks.count > CountingProtocol.maximumClasses ? peaks[CountingProtocol.maximumClasses] : nil
        countedBelow =
            kept.count >= CountingProtocol.minimumContexts
            ? kept[CountingProtocol.minimumContexts - 1] : nil
    }

    /// Whether the values are the same; logarithms may differ in the last bit between machines.
    package func agrees(with other: DerivedColumns) -> Bool {
        var (one, two) = (self, other)
        let entropies = (one.layerEntropy ?? -1, two.layerEntropy ?? -1)
        one.layerEntropy = nil
        two.layerEntropy = nil
        return one == two && abs(entropies.0 - entropies.1) <= 1e-12
    }
}
