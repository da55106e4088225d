import GRDB
import Vocabulary

/// Writes the features of an index one by one, within the transaction of ``Catalog/writeIndex(_:replacing:_:)``.
/// Valid until that returns.
///
/// For one thread only.
package final class CatalogIndexWriter {
    let catalog: Catalog
    let database: Database
    let indexing: IndexingRecord
    let latentCount: Int

    private let statements: Statements
    private var totals = IndexTotals()
    /// Tokens of the passages used so far.
    private var passageLengths: [Int64: Int] = [:]
    private var routing: [LayerRoutingRecord] = []

    init(catalog: Catalog, database: Database, indexing: IndexingRecord, latentCount: Int) throws {
        self.catalog = catalog
        self.database = database
        self.indexing = indexing
        self.latentCount = latentCount
        statements = try Statements(database, path: catalog.path)
    }

    /// Writes one feature. Every latent of the dictionary has to be written once before the index ends.
    ///
    /// - Throws: ``CatalogError`` `.invalidValue` if its numbers contradict each other or the indexing, a token is in
    ///   two contexts, splits share a passage, or a context's activation is not that of its peak token.
    package func write(_ feature: FeatureEntry) throws(CatalogError) {
        do {
            try check(feature)
            let derived = DerivedColumns(
                layers: feature.layers.map { ($0.layer, $0.firedCount) }, tokens: feature.tokens)
            try insert(feature.record, derived)
            for layer in feature.layers { try insert(layer) }
            for token in feature.tokens { try insert(token) }
            if let histogram = feature.linearHistogram { try insert(histogram, of: feature.record.featureIndex) }
            for (rank, cofiring) in feature.cofirings.enumerated() {
                try insert(cofiring, rank, of: feature.record.featureIndex)
            }
            try insert(feature.contexts, of: feature.record.featureIndex)
            totals.add(feature, derived)
        } catch {
            throw CatalogError(error, path: catalog.path)
        }
    }

    /// Sets the routing of tokens during indexing; written when the index ends.
    package func write(layerRouting: [LayerRoutingRecord]) {
        routing = layerRouting
    }

    /// Writes the totals over all features and checks that every latent has been written.
    func finish() throws {
        guard totals.featureCount == latentCount else {
            throw invalid("features written: \(totals.featureCount), latents of the dictionary: \(latentCount)")
        }
        try totals.write(of: indexing.key, database)
        try catalog.insert(
            routing, dictionaryID: indexing.key.dictionaryID, runID: indexing.runID, totals: totals.layers, database)
    }

    private func check(_ feature: FeatureEntry) throws(CatalogError) {
        let record = feature.record
        guard (0..<latentCount).contains(record.featureIndex) else {
            throw invalid("there is no feature \(record.featureIndex); the dictionary has \(latentCount)")
        }
        guard (0...indexing.tokenCount).contains(record.firedCount) else {
            throw invalid(
                "feature \(record.featureIndex) fired \(record.firedCount) times on \(indexing.tokenCount) tokens")
        }

        let binCount = max(0, indexing.histogramEdges.count - 1)
        guard record.histogram.isEmpty || record.histogram.count == binCount else {
            throw invalid("feature \(record.featureIndex) has \(record.histogram.count) bins, its edges \(binCount)")
        }

        if let histogram = feature.linearHistogram, histogram.total != record.firedCount {
            throw invalid(
                "feature \(record.featureIndex) has \(histogram.total) firings in equal bins and fired \(record.firedCount) times"
            )
        }

        let parts = [feature.layers.map(\.featureIndex), feature.tokens.map(\.featureIndex)].joined()
        guard parts.allSatisfy({ $0 == record.featureIndex }) else {
            throw invalid("feature \(record.featureIndex) comes with rows of another")
        }
        guard feature.tokens.count <= FeatureTokenRecord.keptClassCount else {
            throw invalid("feature \(record.featureIndex) has \(feature.tokens.count) token classes")
        }
    }

    private func insert(_ record: FeatureRecord, _ derived: DerivedColumns) throws(CatalogError) {
        let tokens = indexing.tokenCount
        let fired = record.firedCount > 0
        let insert = statements.feature
        bindKey(insert, record.featureIndex)
        insert.bind(4, record.firedCount)
        insert.bind(5, tokens == 0 ? 0 : Double(record.firedCount) / Double(tokens))
        insert.bind(6, record.meanActivation)
        insert.bind(7, record.stdActivation)
        insert.bind(8, fired ? record.minActivation : nil)
        insert.bind(9, fired ? record.maxActivation : nil)
        insert.bind(10, record.sumActivation)
        insert.bind(11, record.sumSquare)
        insert.bind(12, record.quantiles?.p10)
        insert.bind(13, record.quantiles?.p50)
        insert.bind(14, record.quantiles?.p90)
        insert.bind(15, record.quantiles?.p99)
        insert.bind(16, record.decoderNorm)
        insert.bind(17, fired ? 0 : 1)
        insert.bind(18, record.documentCount)
        insert.bind(19, record.histogram.isEmpty ? nil : Catalog.json(record.histogram))
        insert.bind(20, derived.peakLayer)
        insert.bind(21, derived.peakLayerShare)
        insert.bind(22, derived.layerEntropy)
        insert.bind(23, derived.topToken.map(Catalog.storable))
        insert.bind(24, derived.countedFrom)
        insert.bind(25, derived.countedBelow)
        insert.bind(26, derived.strongestToken.map(Catalog.storable))
        try insert.run()
    }

    private func insert(_ layer: FeatureLayerRecord) throws(CatalogError) {
        let insert = statements.layer
        bindKey(insert, layer.featureIndex)
        insert.bind(4, layer.layer)
        insert.bind(5, layer.firedCount)
        insert.bind(6, layer.sumActivation)
        insert.bind(7, layer.maxActivation)
        insert.bind(8, layer.sumRouterWeight)
        insert.bind(9, layer.meanRouterWeight)
        try insert.run()
    }

    private func insert(_ token: FeatureTokenRecord) throws(CatalogError) {
        let insert = statements.token
        bindKey(insert, token.featureIndex)
        insert.bind(4, Catalog.storable(token.tokenClass))
        insert.bind(5, token.firedCount)
        insert.bind(6, token.activation1)
        insert.bind(7, token.activation2)
        try insert.run()
    }

    private func insert(_ histogram: LinearHistogram, of feature: Int) throws(CatalogError) {
        let insert = statements.linearHistogram
        bindKey(insert, feature)
        insert.bind(4, histogram.binWidth)
        insert.bind(5, histogram.firstBin)
        insert.bind(6, Catalog.json(histogram.counts))
        try insert.run()
    }

    private func insert(_ cofiring: CofiringRecord, _ rank: Int, of feature: Int) throws(CatalogError) {
        let insert = statements.cofiring
        bindKey(insert, feature)
        insert.bind(4, rank)
        insert.bind(5, cofiring.otherIndex)
        insert.bind(6, cofiring.share)
        insert.bind(7, cofiring.lift)
        try insert.run()
    }

    private func insert(_ contexts: [ContextEntry], of feature: Int) throws {
        guard !contexts.isEmpty else { return }
        // In the order of the table, which is that of the activations.
        let contexts = contexts.sorted { ($0.band.code, $0.rank) < ($1.band.code, $1.rank) }
        let insert = statements.context
        for context in contexts {
            let peak = try check(context, of: feature)
            bindKey(insert, feature)
            insert.bind(4, context.band.code)
            insert.bind(5, context.rank)
            insert.bind(6, context.passageID)
            insert.bind(7, context.position)
            insert.bind(8, context.layer)
            insert.bind(9, context.routerWeight)
            insert.bind(10, context.activation)
            insert.bind(11, context.split?.code)
            insert.bind(12, context.occurrenceCount)
            insert.bind(13, OtherActivations.encode(context.activations, peak: peak))
            try insert.run()
        }
        guard OtherActivations.canHold(windowLengths: contexts.map(\.activations.count)) else {
            throw invalid(
                "feature \(feature) has \(contexts.count) contexts, with more tokens than the \(OtherActivations.maximumTokenCount) that can be kept"
            )
        }
    }

    /// - Returns: The peak token's position in the window.
    private func check(_ context: ContextEntry, of feature: Int) throws -> Int {
        let place = "context of feature \(feature), passage \(context.passageID), token \(context.position)"
        let length = try passageLength(context.passageID)
        guard (0..<length).contains(context.position) else {
            throw invalid("\(place): the passage has \(length) tokens")
        }

        let window = ContextWindow.range(around: context.position, in: length, length: indexing.window)
        guard context.activations.count == window.count, context.activations.allSatisfy(\.isFinite) else {
            throw invalid(
                "\(place): \(context.activations.count) activations for a window of \(window.count), or not finite")
        }

        let peak = context.position - window.lowerBound
        guard context.activations[peak] == context.activation else {
            throw invalid("\(place): its activation is not that of the peak token in its window")
        }
        guard (context.band == .quiet) == (context.activation == 0) || context.band != .quiet else {
            throw invalid("\(place): quiet, and yet it fires")
        }
        return peak
    }

    private func passageLength(_ passageID: Int64) throws -> Int {
        if let known = passageLengths[passageID] { return known }
        let length = try Int.fetchOne(
            database,
            sql: """
                SELECT p.n_tokens FROM passage AS p JOIN document AS d USING (document_id)
                WHERE p.passage_id = ? AND d.corpus_id = ?
                """, arguments: [passageID, indexing.key.corpusID])
        guard let length else {
            throw invalid("there is no passage \(passageID) in corpus \(indexing.key.corpusID)")
        }
        passageLengths[passageID] = length
        return length
    }

    private func bindKey(_ insert: BulkInsert, _ feature: Int) {
        insert.bind(1, indexing.key.dictionaryID)
        insert.bind(2, feature)
        insert.bind(3, indexing.key.corpusID)
    }

    private func invalid(_ reason: String) -> CatalogError {
        CatalogError(.invalidValue, "\(catalog.path): \(reason)")
    }
}
