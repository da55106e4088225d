import GRDB
package import Vocabulary

extension Catalog {
    /// The most bytes of passages that one call reads.
    private static let maximumPassageByteCount = 1 << 26

    /// The first contexts of a feature in a band, with the texts of their tokens.
    ///
    /// - Parameters:
    ///   - limit: How many at most.
    ///   - offset: How many to skip.
    ///   - isWhole: Whether to give the whole passage's tokens instead of the window's.
    /// - Throws: ``CatalogError`` `.damaged` for malformed activations or a passage whose tokens do not fit its text.
    package func contextTexts(
        _ key: IndexingKey, featureIndex: Int, band: ContextBand, limit: Int, offset: Int = 0, isWhole: Bool = false
    ) throws(CatalogError) -> [ContextText] {
        guard let length = try indexing(key)?.window else { return [] }
        let number = ContextBand.allCases.firstIndex(of: band) ?? 0
        return try read { database in
            var texts: [ContextText] = []
            var byteCount = 0
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT c.rank, c.passage_id, c.position, c.layer, c.router_weight, c.activation, c.split,
                        c.n_occurrences, c.other_activations, p.document_id, p.first_token, p.n_tokens, p.text,
                        p.token_starts, d.ordinal, d.title
                    FROM feature_context AS c
                    JOIN passage AS p ON p.passage_id = c.passage_id
                    JOIN document AS d ON d.document_id = p.document_id
                    WHERE c.dictionary_id = ? AND c.feature_index = ? AND c.corpus_id = ? AND c.band = ?
                    ORDER BY c.rank LIMIT ? OFFSET ?
                    """,
                arguments: [key.dictionaryID, featureIndex, key.corpusID, number, limit, offset])
            while let row = try rows.next() {
                let text: String = try row.value(12)
                byteCount += text.utf8.count
                guard byteCount <= Self.maximumPassageByteCount else {
                    throw CatalogError(
                        .damaged, "\(path): the contexts of feature \(featureIndex) have more text than can be")
                }
                texts.append(
                    try contextText(
                        row, text: text, featureIndex: featureIndex, band: band, length: length, isWhole: isWhole))
            }
            return texts
        }
    }

    private func contextText(
        _ row: Row, text: String, featureIndex: Int, band: ContextBand, length: Int, isWhole: Bool
    ) throws -> ContextText {
        let rank: Int = try row.number(0)
        func damage(_ complaint: String) -> CatalogError {
            CatalogError(
                .damaged, "\(path): \(band.rawValue) context \(rank) of feature \(featureIndex): \(complaint)")
        }
        let (count, position, first): (Int, Int, Int) = (try row.tally(11), try row.number(2), try row.tally(10))
        let scalars = Array(text.unicodeScalars)
        guard let starts = PassageText.starts(decimals: try row.value(13), tokenCount: count),
            starts.last == scalars.count
        else { throw damage("the passage's tokens do not fit its text") }
        guard position < count, length > 0 else { throw damage("its token is not in its passage") }
        let window = ContextWindow.range(around: position, in: count, length: min(length, count))
        let activation: Float = try row.value(5)
        guard
            let activations = OtherActivations.decode(
                try row.value(8), peak: position - window.lowerBound, activation: activation, length: window.count)
        else { throw damage("its activations are not of the form, or of another window") }
        let shown = isWhole ? 0..<count : window
        let split: Int? = try row.value(6)
        return ContextText(
            featureIndex: featureIndex, band: band, rank: rank, passageID: try row.value(1),
            documentID: try row.value(9), ordinal: try row.number(14), title: try row.value(15),
            tokenPosition: first + position, layer: try row.number(3), routerWeight: try row.value(4),
            activation: activation, split: split.map { $0 == 0 ? .explain : .score }, occurrenceCount: try row.tally(7),
            tokens: shown.map { token in
                String(String.UnicodeScalarView(scalars[starts[token]..<starts[token + 1]]))
            },
            activations: activations,
            window: window.lowerBound - shown.lowerBound..<window.upperBound - shown.lowerBound,
            peak: position - shown.lowerBound,
            isCut: (shown.lowerBound > 0, shown.upperBound < count))
    }
}
