/// Tokens routed to a layer and firings there (a row of the view `layer_profile`).
package struct LayerProfile: Equatable, Sendable {
    /// The decoder layer.
    package let layer: Int
    /// Tokens routed there.
    package let tokenCount: Int?
    /// Their fraction of all tokens; nil if there are none.
    package let tokenShare: Double?
    /// The router's weight of the layer over all tokens; nil without a router.
    package let meanRouterWeight: Double?
    /// Features that fire most there.
    package let peakFeatureCount: Int?
    /// Features that fire there at all.
    package let featureCount: Int?
    /// Firings.
    package let firedCount: Int?
    /// Their mean activation; nil without any.
    package let meanActivation: Double?
    /// Their largest; nil without any.
    package let maxActivation: Double?
}

extension Catalog {
    /// The layers that a dictionary reads, ascending.
    package func layerProfile(_ key: IndexingKey) throws(CatalogError) -> [LayerProfile] {
        try rows(
            sql: """
                SELECT layer, n_tokens, token_share, mean_router_weight, n_peak_features, n_features, n_fired,
                    mean_activation, max_activation
                FROM layer_profile WHERE dictionary_id = ? AND corpus_id = ? ORDER BY layer
                """,
            arguments: [.integer(key.dictionaryID), .integer(key.corpusID)]
        ).rows.compactMap { row in
            row[0].wholeNumber.map { layer in
                LayerProfile(
                    layer: layer, tokenCount: row[1].wholeNumber, tokenShare: row[2].number,
                    meanRouterWeight: row[3].number, peakFeatureCount: row[4].wholeNumber,
                    featureCount: row[5].wholeNumber, firedCount: row[6].wholeNumber, meanActivation: row[7].number,
                    maxActivation: row[8].number)
            }
        }
    }
}
