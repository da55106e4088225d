package import FeatureCatalog
package import FeatureScoring
import Foundation
import Indexing

/// Rebuilds scoring contexts from a catalog: activations from the context's blob, tokens from its document.
package final class ScoringContextReader {
    private let catalog: Catalog
    private let key: IndexingKey
    /// Tokens of a full segment; nil if unknown.
    private let segmentLength: Int?
    /// Whether the layers that tokens were read from are needed.
    private let drawsLayers: Bool
    private var documents: [Int64: [Int32]] = [:]

    /// Reads the contexts of one indexing.
    ///
    /// - Parameters:
    ///   - context: the most tokens the model sees at once, where the indexing run does not say; nil if unknown.
    ///   - drawsLayers: whether the dictionary draws the layer that a token is read from.
    ///   - prefix: tokens of a segment that are not the document's: 1 where BOS stands before it.
    package init(catalog: Catalog, indexing: IndexingRecord, drawsLayers: Bool, context: Int?, prefix: Int) {
        self.catalog = catalog
        self.drawsLayers = drawsLayers
        key = indexing.key
        let config = (try? catalog.run(indexing.runID))?.configJSON ?? ""
        let settings = try? JSONDecoder().decode(IndexingSettings.self, from: Data(config.utf8))
        // An untrusted catalog may hold any value.
        let length = (settings?.options.context ?? context).flatMap { (1...1 << 24).contains($0) ? $0 : nil }
        segmentLength = length.map { max($0 - prefix, 1) }
    }

    /// One feature's contexts.
    ///
    /// - Throws: `CatalogError`, `ScoringError.malformedContext` where a context does not fit its document.
    package func contexts(of feature: Int) throws -> FeatureContexts {
        let contexts = try catalog.contexts(key, featureIndex: feature).compactMap {
            context -> ScoringContext? in
            guard let split = context.split else { return nil }
            let tokens = try tokens(of: context.documentID)
            let count = context.activations.count
            guard (0...tokens.count).contains(context.windowStart), count <= tokens.count - context.windowStart,
                (0...tokens.count).contains(context.tokenPosition), (0...tokens.count).contains(context.segment)
            else {
                throw ScoringError.malformedContext(
                    contextID: context.contextID,
                    reason: "its window of \(count) tokens from \(context.windowStart) on, with its peak at "
                        + "\(context.tokenPosition), is not in its document")
            }
            return try ScoringContext(
                contextID: context.contextID, tokens: Array(tokens[context.windowStart..<context.windowStart + count]),
                activations: context.activations, peakIndex: context.tokenPosition - context.windowStart,
                band: context.band,
                split: split,
                beginsSequence: segmentLength.map { context.windowStart == context.segment * $0 }
                    ?? (context.windowStart == 0),
                layer: drawsLayers ? context.layer : nil)
        }
        return FeatureContexts(featureIndex: feature, contexts: contexts)
    }

    private func tokens(of document: Int64) throws -> [Int32] {
        if let known = documents[document] { return known }
        let tokens = try catalog.document(document).tokenIDs
        // A corpus may be large, so the cache is cleared from time to time.
        if documents.count >= 4096 { documents.removeAll(keepingCapacity: true) }
        documents[document] = tokens
        return tokens
    }
}
