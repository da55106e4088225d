import ActivationPipeline
import FeatureCatalog
import Scoring

/// Whether features say the same at the layers that they span: by their strongest stored contexts at each.
struct SpanEvidence {
    /// A feature, and what it fires on at the layers that it spans.
    struct Spanning {
        let feature: Int
        /// The layers with at least a tenth of its firings, most of them first, and how many they have.
        let layers: [FeatureLayerRecord]
        /// The strongest stored contexts at each of these layers, strongest first; at most three.
        let contexts: [Int: [ContextRecord]]
        /// The classes of the tokens on which these contexts peak.
        let classes: [Int: Set<String>]

        /// The two layers at which it fires most; nil if it does not span two, or one of them has no context.
        fileprivate var main: (Set<String>, Set<String>)? {
            guard layers.count > 1, let first = classes[layers[0].layer], let second = classes[layers[1].layer],
                !first.isEmpty, !second.isEmpty
            else { return nil }
            return (first, second)
        }

        /// Whether the strongest contexts at its two main layers peak on a token in common.
        var agrees: Bool { main.map { !$0.isDisjoint(with: $1) } ?? false }
    }

    /// Those of the features that were asked for, in that order.
    let features: [Spanning]

    /// Reads them from a catalog.
    init(of features: [Int], in catalog: Catalog, _ key: IndexingKey, _ text: TokenTexts) throws {
        var documents: [Int64: [Int32]] = [:]
        self.features = try features.map { feature in
            let fired = try catalog.featureLayers(key, featureIndex: feature)
            let least = max(fired.reduce(0) { $0 + $1.firedCount } / 10, 1)
            let layers = fired.filter { $0.firedCount >= least }
                .sorted { ($0.firedCount, $1.layer) > ($1.firedCount, $0.layer) }
            let stored = try catalog.contexts(key, featureIndex: feature)
            var contexts: [Int: [ContextRecord]] = [:]
            var classes: [Int: Set<String>] = [:]
            for layer in layers.map(\.layer) {
                let own = stored.filter { $0.layer == layer }.sorted { $0.activation > $1.activation }.prefix(3)
                contexts[layer] = Array(own)
                classes[layer] = try Set(
                    own.map { context in
                        if documents[context.documentID] == nil {
                            documents[context.documentID] = try catalog.document(context.documentID).tokenIDs
                        }
                        return TokenClass.text(of: text.of(documents[context.documentID]![context.tokenPosition]))
                    })
            }
            return Spanning(feature: feature, layers: layers, contexts: contexts, classes: classes)
        }
    }

    /// How many features could agree: those with contexts at two layers that they span.
    var asked: Int { features.count { $0.main != nil } }

    /// How many of them agree.
    var agreeing: Int { features.count(where: \.agrees) }

    /// How many would agree if each had the second layer's contexts of the next feature.
    var agreeingByChance: Int {
        let asked = features.compactMap(\.main)
        return asked.indices.count { !asked[$0].0.isDisjoint(with: asked[($0 + 1) % asked.count].1) }
    }
}
