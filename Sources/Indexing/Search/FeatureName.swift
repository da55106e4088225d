import ActivationPipeline
package import FeatureCatalog

/// How a feature is called, by its explanation or by what it fires on, with the figures that stand beside a name.
package struct FeatureName: Sendable, Equatable {
    /// Its newest explanation.
    package let explanation: String?
    /// The token class on which it fires most.
    package let topToken: String?
    /// Its largest activation.
    package let maximum: Double?
    /// The layer in which it fires most.
    package let peakLayer: Int?
    /// The share of tokens on which it fires.
    package let firingRate: Double?
    /// Its newest simulation score.
    package let score: Double?
    /// The baseline of that.
    package let baseline: Double?

    private static let columns = [
        "explanation", "top_token", "max_activation", "peak_layer", "firing_rate", "simulation_score",
        "simulation_baseline",
    ]

    private init(_ values: [CatalogValue]) {
        (explanation, topToken, maximum) = (values[0].string, values[1].string, values[2].number)
        (peakLayer, firingRate) = (values[3].wholeNumber, values[4].number)
        (score, baseline) = (values[5].number, values[6].number)
    }

    /// The names of some features of an index, by number.
    ///
    /// - Throws: `CatalogError`.
    package static func of(_ features: [Int], _ key: IndexingKey, in catalog: Catalog) throws -> [Int: FeatureName] {
        guard !features.isEmpty else { return [:] }
        let known = try SummaryColumns(of: catalog)
        var listing = FeatureListing(key: key)
        listing.columns = try columns.map { try known.named($0) }
        return try listing.values(of: features, in: catalog).mapValues(FeatureName.init)
    }

    /// The name as plain text; nil for a feature that never fires.
    package var text: String? { explanation ?? topToken.map { "fires on '\($0)'" } }
}
