import GRDB

extension Catalog {
    /// Passages examined, the best of those that match: each holds contexts of hundreds of features.
    private static let passageLimit = 24
    /// Passages ranked for that, evenly spread over all matches: very common words carry little information.
    private static let comparedPassageLimit = 2000
    /// The same for queries that mark all ranked passages.
    private static let markedPassageLimit = 200
    /// Contexts after which no further passage is examined.
    private static let contextLimit = 2048
    /// Tokens whose features are looked up, the shortest of those that contain a word.
    private static let tokenLimit = 32
    /// The most bytes of matching explanations.
    private static let maximumHitByteCount = 1 << 26

    /// Features whose explanations match, best first.
    ///
    /// - Parameters:
    ///   - query: Words that all have to occur, or a phrase in double quotes, or any query in FTS5's language.
    ///   - dictionaryID: Only this dictionary's features; nil for all.
    ///   - limit: How many features at most.
    /// - Throws: ``CatalogError`` `.invalidSQL` if FTS5 does not understand the query; `.refused` if it is too long.
    package func searchExplanations(
        _ query: String, dictionaryID: Int64? = nil, limit: Int = 20
    ) throws(CatalogError) -> [SearchHit] {
        try SearchWords.check(query, path: path)
        return try read { database in
            // With min() alone, SQLite takes the other columns from the row that has the minimum: the best match.
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    WITH i AS MATERIALIZED (
                        SELECT rowid AS id, rank AS score, highlight(explanation_text, 0, '**', '**') AS marked
                        FROM explanation_text WHERE explanation_text MATCH ?1
                    )
                    SELECT d.name, e.feature_index, count(*), min(i.score), i.marked FROM i
                    JOIN explanation AS e ON e.explanation_id = i.id
                    JOIN dictionary AS d ON d.dictionary_id = e.dictionary_id
                    WHERE ?2 IS NULL OR e.dictionary_id = ?2
                    GROUP BY e.dictionary_id, e.feature_index
                    ORDER BY min(i.score), e.dictionary_id, e.feature_index LIMIT ?3
                    """,
                arguments: [query, dictionaryID, limit])
            var hits: [SearchHit] = []
            var byteCount = 0
            while let row = try rows.next() {
                let text: String = try row.value(4)
                byteCount += text.utf8.count
                guard byteCount <= Self.maximumHitByteCount else {
                    throw CatalogError(.refused, "\(path): the matches hold too much text; ask for fewer")
                }
                try hits.append(
                    SearchHit(
                        scope: .explanations, dictionary: row.value(0), featureIndex: row.number(1),
                        matchCount: row.value(2), peakCount: 0, text: text))
            }
            return hits
        }
    }

    /// Features that promote tokens containing one of some words, by value. Of many such tokens only
    /// the shortest count, which are closest to the word itself.
    ///
    /// - Parameters:
    ///   - words: Case makes no difference in ASCII.
    ///   - dictionaryID: Only this dictionary's features; nil for all.
    ///   - limit: How many features at most.
    package func searchPromotedTokens(
        _ words: [String], dictionaryID: Int64? = nil, limit: Int = 20
    ) throws(CatalogError) -> [SearchHit] {
        let words = words.filter { !$0.isEmpty }
        guard !words.isEmpty else { return [] }
        try SearchWords.check(words.map { "x" + $0 }.joined(separator: " "), path: path)
        let conditions = words.map { _ in "instr(lower(t.text), lower(?)) > 0" }.joined(separator: " OR ")
        return try read { database in
            // The vocabulary first, which CROSS JOIN makes sure of: it is the shorter by far.
            try Row.fetchAll(
                database,
                sql: """
                    SELECT d.name, l.feature_index, count(*), max(l.value), t.text
                    FROM (
                        SELECT * FROM token AS t WHERE \(conditions)
                        ORDER BY length(t.text), t.language_model_id, t.token_id LIMIT \(Self.tokenLimit)
                    ) AS t
                    CROSS JOIN feature_logit AS l ON l.token_id = t.token_id AND l.direction = 'promoted'
                    JOIN dictionary AS d
                        ON d.dictionary_id = l.dictionary_id AND d.language_model_id = t.language_model_id
                    WHERE ? IS NULL OR d.dictionary_id = ?
                    GROUP BY l.dictionary_id, l.feature_index
                    ORDER BY max(l.value) DESC, l.dictionary_id, l.feature_index LIMIT ?
                    """,
                arguments: StatementArguments(words) + [dictionaryID, dictionaryID, limit]
            ).map { row in
                let token: String = try row.value(4)
                return try SearchHit(
                    scope: .tokens, dictionary: row.value(0), featureIndex: row.number(1), matchCount: row.value(2),
                    peakCount: 0, text: "promotes **\(token)**")
            }
        }
    }

    /// Features that fire near words of the text, best first: those that fire on the words before those that fire
    /// beside them. Non-activating contexts do not count.
    ///
    /// - Parameters:
    ///   - query: As for ``searchExplanations(_:dictionaryID:limit:)``.
    ///   - dictionaryID: Only this dictionary's features; nil for all.
    ///   - limit: How many features at most.
    /// - Throws: ``CatalogError`` `.invalidSQL` if FTS5 does not understand the query; `.refused` if it is too long.
    package func searchContexts(
        _ query: String, dictionaryID: Int64? = nil, limit: Int = 20
    ) throws(CatalogError) -> [SearchHit] {
        try SearchWords.check(query, path: path)
        return try read { database in
            var found: [FeatureKey: Found] = [:]
            var contextCount = 0
            for (order, passage) in try bestPassages(query, database).enumerated() {
                guard contextCount < Self.contextLimit else { break }
                contextCount += try collect(
                    passage.id, SearchMarks(passage.text), order, dictionaryID, into: &found, database)
            }

            let best = found.sorted { $0.value.ranks(before: $1.value, $0.key, $1.key) }.prefix(max(0, limit))
            let names = Dictionary(
                try Row.fetchAll(database, sql: "SELECT dictionary_id, name FROM dictionary").map {
                    (try $0.value(0) as Int64, try $0.value(1) as String)
                }, uniquingKeysWith: { first, _ in first })
            return best.map { key, found in
                SearchHit(
                    scope: .contexts, dictionary: names[key.dictionaryID] ?? "", featureIndex: key.featureIndex,
                    matchCount: found.matchCount, peakCount: found.peakCount, text: found.text())
            }
        }
    }

    /// A passage with its matches marked.
    private struct MarkedPassage {
        let id: Int64
        let text: String
    }

    /// The passages that match best, the best first.
    private func bestPassages(_ query: String, _ database: Database) throws -> [MarkedPassage] {
        let count = try Int.fetchOne(
            database, sql: "SELECT count(*) FROM passage_text WHERE passage_text MATCH ?", arguments: [query])
        // A prefix query collects all matching words every time it is run, so it is run once, and
        // marks what it compares; otherwise only the best are marked.
        guard !query.contains("*") else {
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT rowid, highlight(passage_text, 0, char(2), char(3)) FROM passage_text
                    WHERE passage_text MATCH ? AND rowid % ? = 0
                    ORDER BY +rank, rowid LIMIT \(Self.passageLimit)
                    """,
                arguments: [query, 1 + (count ?? 0) / Self.markedPassageLimit])
            return try rows.map { row in try MarkedPassage(id: row.value(0), text: row.value(1)) }
        }
        // The sign keeps FTS5 from working out the rank of every match.
        let best = try Int64.fetchAll(
            database,
            sql: """
                SELECT rowid FROM passage_text WHERE passage_text MATCH ? AND rowid % ? = 0
                ORDER BY +rank, rowid LIMIT \(Self.passageLimit)
                """,
            arguments: [query, 1 + (count ?? 0) / Self.comparedPassageLimit])
        let mark = try database.makeStatement(
            sql: """
                SELECT highlight(passage_text, 0, char(2), char(3)) FROM passage_text
                WHERE passage_text MATCH ? AND rowid = ?
                """)
        var passages: [MarkedPassage] = []
        for passageID in best {
            guard let row = try Row.fetchOne(mark, arguments: [query, passageID]) else { continue }
            passages.append(try MarkedPassage(id: passageID, text: row.value(0)))
        }
        return passages
    }

    private struct FeatureKey: Hashable {
        let dictionaryID: Int64
        let featureIndex: Int
    }

    /// What was found for a feature, and its best context.
    private struct Found {
        var matchCount = 0
        var peakCount = 0
        /// Whether the best context's peak is within the words, its passage's rank, and its activation.
        var best: (isOnPeak: Bool, order: Int, activation: Double)
        /// The window and the peak token in characters of the passage; rendered only if it is shown.
        var window: Range<Int>
        var peak: Range<Int>
        let marks: SearchMarks

        func text() -> String { marks.text(window: window, peak: peak) }

        func ranks(before other: Found, _ key: FeatureKey, _ otherKey: FeatureKey) -> Bool {
            if peakCount != other.peakCount { return peakCount > other.peakCount }
            if best.order != other.best.order { return best.order < other.best.order }
            if best.activation != other.best.activation { return best.activation > other.best.activation }
            return (key.dictionaryID, key.featureIndex) < (otherKey.dictionaryID, otherKey.featureIndex)
        }
    }

    /// - Returns: The passage's number of contexts.
    private func collect(
        _ passageID: Int64, _ marks: SearchMarks, _ order: Int, _ dictionaryID: Int64?,
        into found: inout [FeatureKey: Found], _ database: Database
    ) throws -> Int {
        let passage = try Row.fetchOne(
            database, sql: "SELECT token_starts, n_tokens FROM passage WHERE passage_id = ?", arguments: [passageID])
        guard let passage,
            let starts = PassageText.starts(decimals: try passage.value(0), tokenCount: try passage.value(1))
        else { throw CatalogError(.damaged, "\(path): passage \(passageID): token_starts do not fit its tokens") }
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT c.dictionary_id, c.feature_index, c.position, c.activation, i.window
                FROM feature_context AS c
                JOIN indexing AS i ON i.dictionary_id = c.dictionary_id AND i.corpus_id = c.corpus_id
                WHERE c.passage_id = ?1 AND c.band < 2 AND (?2 IS NULL OR c.dictionary_id = ?2)
                """,
            arguments: [passageID, dictionaryID])
        let tokenCount = starts.count - 1
        var contextCount = 0
        while let row = try rows.next() {
            contextCount += 1
            let position: Int = try row.value(2)
            let length: Int = try row.value(4)
            guard (0..<tokenCount).contains(position), length > 0 else { continue }
            let tokens = ContextWindow.range(around: position, in: tokenCount, length: min(length, tokenCount))
            let peak = starts[position]..<max(starts[position] + 1, starts[position + 1])
            // The window may end within the character that the peak token is part of.
            let window = starts[tokens.lowerBound]..<max(starts[tokens.upperBound], peak.upperBound)
            guard marks.overlaps(window) else { continue }
            let isOnPeak = marks.overlaps(peak)
            let place = (isOnPeak, order, try row.value(3) as Double)
            let key = FeatureKey(dictionaryID: try row.value(0), featureIndex: try row.number(1))
            var entry = found[key] ?? Found(best: place, window: window, peak: peak, marks: marks)
            entry.matchCount += 1
            entry.peakCount += isOnPeak ? 1 : 0
            if place.0 && !entry.best.isOnPeak
                || place.0 == entry.best.isOnPeak && place.1 == entry.best.order && place.2 > entry.best.activation
            {
                entry = Found(
                    matchCount: entry.matchCount, peakCount: entry.peakCount, best: place, window: window, peak: peak,
                    marks: marks)
            }
            found[key] = entry
        }
        return contextCount
    }
}
