import Foundation
import GRDB

/// Takes the rows of an index; ``Catalog/writeIndex(_:replacing:_:)`` makes one and ends its transaction.
///
/// Not to be kept or used by another thread.
public final class CatalogIndexWriter {
    let catalog: Catalog
    let database: Database
    let indexing: IndexingRecord

    private let featureStatement: Statement
    private let layerStatement: Statement
    private let tokenStatement: Statement
    private let contextStatement: Statement

    init(catalog: Catalog, database: Database, indexing: IndexingRecord) throws {
        self.catalog = catalog
        self.database = database
        self.indexing = indexing
        featureStatement = try database.makeStatement(
            sql: """
                INSERT INTO feature (dictionary_id, feature_index, n_fired, firing_rate, mean_activation,
                    std_activation, max_activation, p10, p50, p90, p99, decoder_norm, is_dead, n_documents, histogram)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        layerStatement = try database.makeStatement(
            sql: """
                INSERT INTO feature_layer (dictionary_id, feature_index, layer, n_fired, sum_activation, max_activation,
                    mean_router_weight)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """)
        tokenStatement = try database.makeStatement(
            sql: """
                INSERT INTO feature_token (dictionary_id, feature_index, token_class, n_fired, activation_1,
                    activation_2)
                VALUES (?, ?, ?, ?, ?, ?)
                """)
        contextStatement = try database.makeStatement(
            sql: """
                INSERT INTO context (dictionary_id, feature_index, band, rank, document_id, token_position, segment,
                    window_start, window_length, layer, router_weight, activation, split, activations, excerpt)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
    }

    /// Writes feature statistics. Every latent of the dictionary needs a row before the index ends.
    ///
    /// - Throws: ``CatalogError`` `.invalidValue` if a count or a histogram contradicts the indexing.
    public func write(features: [FeatureRecord]) throws(CatalogError) {
        try translating {
            let tokens = indexing.tokenCount
            let binCount = max(0, indexing.histogramEdges.count - 1)
            for feature in features {
                guard feature.firedCount <= tokens else {
                    throw invalid(
                        "feature \(feature.featureIndex) fired \(feature.firedCount) times on \(tokens) tokens")
                }
                guard feature.histogram.isEmpty || feature.histogram.count == binCount else {
                    throw invalid(
                        "feature \(feature.featureIndex) has \(feature.histogram.count) bins, its edges \(binCount)")
                }
                let rate = tokens == 0 ? 0 : Double(feature.firedCount) / Double(tokens)
                let quantiles = feature.quantiles
                try featureStatement.execute(arguments: [
                    indexing.dictionaryID, feature.featureIndex, feature.firedCount, rate, feature.meanActivation,
                    feature.stdActivation, feature.maxActivation, quantiles?.p10, quantiles?.p50, quantiles?.p90,
                    quantiles?.p99, feature.decoderNorm, feature.firedCount == 0, feature.documentCount,
                    feature.histogram.isEmpty ? nil : Catalog.json(feature.histogram),
                ])
            }
        }
    }

    /// Writes firings by layer; only layers where the feature fired.
    public func write(featureLayers: [FeatureLayerRecord]) throws(CatalogError) {
        try translating {
            for part in featureLayers {
                try layerStatement.execute(arguments: [
                    indexing.dictionaryID, part.featureIndex, part.layer, part.firedCount, part.sumActivation,
                    part.maxActivation, part.meanRouterWeight,
                ])
            }
        }
    }

    /// Writes token classes, at most ``FeatureTokenRecord/keptClassCount`` a feature: those with the highest peaks.
    public func write(featureTokens: [FeatureTokenRecord]) throws(CatalogError) {
        try translating {
            for token in featureTokens {
                try tokenStatement.execute(arguments: [
                    indexing.dictionaryID, token.featureIndex, Catalog.storable(token.tokenClass), token.firedCount,
                    token.activation1, token.activation2,
                ])
            }
        }
    }

    /// Writes contexts.
    ///
    /// - Throws: ``CatalogError`` `.invalidValue` if a position is in two bands, the splits share a stretch of text, or
    ///   `activation` is not the one in `activations` at `tokenPosition − windowStart`.
    public func write(contexts: [ContextRecord]) throws(CatalogError) {
        try translating {
            for context in contexts {
                let place = "context of feature \(context.featureIndex), token \(context.tokenPosition)"
                guard context.activations.allSatisfy(\.isFinite),
                    context.activations.count <= SparseActivations.maximumWindowLength
                else { throw invalid("\(place): activations that are not finite, or too many") }
                let peak = context.tokenPosition - context.windowStart
                guard context.activations.indices.contains(peak), context.activations[peak] == context.activation else {
                    throw invalid("\(place): its activation is not that of the peak token in its window")
                }
                let activations = try catalog.frame { () throws(Zstd.Failure) in
                    try SparseActivations.encode(context.activations)
                }
                try contextStatement.execute(arguments: [
                    indexing.dictionaryID, context.featureIndex, context.band.rawValue, context.rank,
                    context.documentID, context.tokenPosition, context.segment, context.windowStart,
                    context.activations.count, context.layer, context.routerWeight, context.activation,
                    context.split?.rawValue, activations, Catalog.storable(context.excerpt),
                ])
            }
        }
    }

    /// Writes how tokens were routed while indexing.
    public func write(layerRouting: [LayerRoutingRecord]) throws(CatalogError) {
        try translating {
            try catalog.insert(
                layerRouting, dictionaryID: indexing.dictionaryID, runID: indexing.runID, database)
        }
    }

    /// Derives what follows from the rows and checks that every latent has one.
    func finish(latentCount: Int) throws {
        let count = try Int.fetchOne(
            database, sql: "SELECT count(*) FROM feature WHERE dictionary_id = ? AND feature_index < ?",
            arguments: [indexing.dictionaryID, latentCount])
        let total = try Int.fetchOne(
            database, sql: "SELECT count(*) FROM feature WHERE dictionary_id = ?", arguments: [indexing.dictionaryID])
        guard count == latentCount, total == latentCount else {
            throw invalid("features written: \(total ?? 0), latents of the dictionary: \(latentCount)")
        }
        try DerivedColumns.write(dictionaryID: indexing.dictionaryID, database)
    }

    private func invalid(_ reason: String) -> CatalogError {
        CatalogError(.invalidValue, "\(catalog.path): \(reason)")
    }

    private func translating(_ body: () throws -> Void) throws(CatalogError) {
        do { try body() } catch { throw CatalogError(error, path: catalog.path) }
    }
}
