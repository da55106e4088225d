import ActivationPipeline
import FeatureCatalog
import Indexing

/// A feature's statistics on the text that its dictionary was indexed on: a row of the view `feature_summary`.
public struct Feature: Sendable, Equatable {
    /// The latent's number.
    public let index: Int
    /// Tokens on which it fires, its activation being at least the counting threshold.
    public let firedCount: Int
    /// Share of the tokens on which it fires.
    public let firingRate: Double
    /// Mean activation while it fires; nil if it never does.
    public let meanActivation: Double?
    /// Largest activation; nil if it never fires.
    public let maxActivation: Double?
    /// The decoder layer at which it fires most often; nil if it never does.
    public let peakLayer: Int?
    /// Entropy of its firings over the layers, nats; nil if it never fires.
    public let layerEntropy: Double?
    /// What it is said to fire on, by the explanation that scored best.
    public let explanation: String?
    /// That explanation's simulation score: the correlation of simulated and actual activations.
    public let simulationScore: Double?

    static let columns = [
        "feature_index", "n_fired", "firing_rate", "mean_activation", "max_activation", "peak_layer", "layer_entropy",
        "explanation", "simulation_score",
    ]

    /// - Parameter row: the values of `columns`.
    init(_ row: [CatalogValue]) {
        index = row[0].wholeNumber ?? 0
        firedCount = row[1].wholeNumber ?? 0
        firingRate = row[2].number ?? 0
        (meanActivation, maxActivation) = (row[3].number, row[4].number)
        (peakLayer, layerEntropy) = (row[5].wholeNumber, row[6].number)
        explanation = if case .text(let text) = row[7] { text } else { nil }
        simulationScore = row[8].number
    }
}

extension Catalog {
    /// Lists features.
    ///
    /// - Parameters:
    ///   - dictionary: the dictionary's name; nil takes the one added last.
    ///   - corpus: the text they were indexed on, by name; nil takes the one indexed last.
    ///   - conditions: all of which have to hold, each a column of the view `feature_summary`, one of
    ///     `= != < <= > >= like`, and a value, such as `simulation_score >= 0.7`.
    ///   - column: a column of the view to sort by, the largest first; nil sorts by the feature's number.
    ///   - limit: the most features; nil for all.
    /// - Throws: ``RouteSAEError`` `.missing`, `.refused` for a dictionary that is not indexed, `.usage` for a condition or
    ///   a column that there is not.
    public func features(
        of dictionary: String? = nil, on corpus: String? = nil, where conditions: [String] = [],
        sortedBy column: String? = nil, limit: Int? = nil
    ) throws(RouteSAEError) -> [Feature] {
        if let limit, limit < 0 { throw RouteSAEError(.usage, "`limit` is \(limit); allowed: from 0") }
        return try RouteSAEError.wrapping {
            let columns = try SummaryColumns(of: file)
            var listing = FeatureListing(key: try IndexedDictionary(named: dictionary, corpus: corpus, in: file).key)
            listing.conditions = try conditions.map { try FeatureCondition($0, columns: columns) }
            listing.columns = try Feature.columns.map { try columns.named($0) }
            listing.order = try column.map { try columns.named($0) }
            listing.isDescending = column != nil
            listing.limit = limit
            return try listing.rows(in: file).result.rows.map(Feature.init)
        }
    }
}
