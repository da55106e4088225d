import GRDB
import Vocabulary

/// A context with its position in the text, independent of the catalog's keys.
package struct PlacedContext: Sendable {
    /// The context.
    package let entry: ContextEntry
    /// The document's key.
    package let documentID: Int64
    /// The document's number in its corpus.
    package let ordinal: Int
    /// The document's digest.
    package let documentSHA256: String
    /// The peak token's index in the document.
    package let tokenPosition: Int
    /// The passage's tokens, as indices in the document.
    package let passageTokens: Range<Int>
}

extension Catalog {
    /// All rows of one feature in an index, with the positions of its contexts.
    package func featureParts(
        _ key: IndexingKey, featureIndex: Int
    ) throws(CatalogError) -> (entry: FeatureEntry, contexts: [PlacedContext]) {
        let entry = FeatureEntry(
            record: try feature(key, featureIndex: featureIndex),
            layers: try featureLayers(key, featureIndex: featureIndex),
            tokens: try featureTokens(key, featureIndex: featureIndex),
            linearHistogram: try linearHistogram(key, featureIndex: featureIndex),
            cofirings: try cofirings(key, featureIndex: featureIndex))
        let shapes = try contextShapes(key, featureIndex: featureIndex)
        let windows = try contextActivations(key, featureIndex: featureIndex, shapes)
        let contexts = try read { database in
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT c.band, c.rank, c.passage_id, c.position, c.layer, c.router_weight, c.activation, c.split,
                        d.ordinal, d.sha256, p.first_token, p.n_tokens, d.document_id, c.n_occurrences
                    FROM feature_context AS c JOIN passage AS p USING (passage_id) JOIN document AS d USING (document_id)
                    WHERE c.dictionary_id = ? AND c.feature_index = ? AND c.corpus_id = ? ORDER BY c.band, c.rank
                    """,
                arguments: [key.dictionaryID, featureIndex, key.corpusID])
            guard rows.count == windows.count else {
                throw CatalogError(.damaged, "\(path): feature \(featureIndex) has contexts without a passage")
            }
            return try zip(rows, zip(shapes, windows)).map { row, shape in
                let split: Int? = try row.value(7)
                let position: Int = try row.value(3)
                let first: Int = try row.value(10)
                let (place, overflow) = first.addingReportingOverflow(position)
                let (end, endOverflow) = first.addingReportingOverflow(try row.value(11))
                guard !overflow, !endOverflow, 0 <= first, first <= place, place < end else {
                    throw CatalogError(.damaged, "\(path): a passage lies beyond all documents")
                }
                return try PlacedContext(
                    entry: ContextEntry(
                        band: shape.0.band, rank: row.number(1), passageID: row.value(2), position: position,
                        layer: row.number(4), routerWeight: row.value(5), activation: row.value(6),
                        split: split.map { $0 == 0 ? .explain : .score }, occurrenceCount: row.tally(13),
                        activations: shape.1),
                    documentID: row.value(12), ordinal: row.number(8), documentSHA256: row.value(9),
                    tokenPosition: place, passageTokens: first..<end)
            }
        }
        return (entry, contexts)
    }
}
