import ActivationPipeline
package import FeatureCatalog

/// What fires on the tokens of a prompt, with what the catalog knows of those features.
package struct PromptFindings: Sendable {
    /// A feature on a token.
    package struct Feature: Sendable, Equatable {
        /// Its number.
        package let index: Int
        /// Its place among all that fire there, from 0 for the strongest.
        package let rank: Int
        /// Above 0.
        package let activation: Float
    }

    /// A token, at one layer.
    package struct Place: Sendable, Equatable {
        /// Its position in the text, from 0.
        package let position: Int
        /// Its text.
        package let token: String
        /// The decoder layer it is read at; nil if all are read at once.
        package let layer: Int?
        /// The router's weight of that layer; nil without a router.
        package let routerWeight: Double?
        /// The features asked for that fire there, strongest first.
        package let features: [Feature]
        /// How many fire there in all.
        package let firingCount: Int
    }

    /// The dictionary.
    package let dictionary: DictionaryRecord
    /// The tokens in order; of an MLSAE each once for every layer.
    package let places: [Place]
    /// What the features among them are called; empty without an index.
    package let names: [Int: FeatureName]

    /// Selects features and looks up what they mean, by the index made last.
    ///
    /// - Parameters:
    ///   - firings: what fires on each token.
    ///   - top: how many features of each token at most; nil for all.
    ///   - chosen: only these features; nil for all.
    /// - Throws: `CatalogError`.
    package init(
        _ dictionary: DictionaryRecord, firings: [TokenFirings], top: Int?, among chosen: Set<Int>?,
        in catalog: Catalog
    ) throws {
        self.dictionary = dictionary
        let places = firings.map { place in
            let ranked = place.firings.enumerated().filter { chosen?.contains($0.element.featureIndex) ?? true }
            return Place(
                position: place.position, token: place.token, layer: place.layer, routerWeight: place.routerWeight,
                features: ranked.prefix(top ?? .max).map {
                    Feature(index: $0.element.featureIndex, rank: $0.offset, activation: $0.element.activation)
                }, firingCount: place.firings.count)
        }
        self.places = places
        let indices = Set(places.flatMap { $0.features.map(\.index) }).sorted()
        let key = try catalog.indexings(dictionaryID: dictionary.dictionaryID).last?.key
        names = try key.map { try FeatureName.of(indices, $0, in: catalog) } ?? [:]
    }

    /// The activation of full intensity: the feature's largest on the corpus if only one is shown, else the largest of
    /// the prompt.
    package var maximum: Float {
        let shown = places.flatMap(\.features)
        let largest = shown.map(\.activation).max() ?? 0
        guard let first = shown.first, shown.allSatisfy({ $0.index == first.index }) else { return largest }
        return max(largest, names[first.index]?.maximum.map { Float($0) } ?? 0)
    }
}
