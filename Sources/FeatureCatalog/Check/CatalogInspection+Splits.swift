import GRDB

extension CatalogInspection {
    /// Checks splits for passages that overlap; triggers check those in one passage.
    mutating func checkSplits() throws {
        // Nearly always no passage overlaps another, which a walk along their index tells: of any two that do, the first
        // overlaps its neighbour.
        let overlaps = try Bool.fetchOne(
            database,
            sql: """
                SELECT EXISTS (
                    SELECT 1 FROM (
                        SELECT first_token, lag(first_token + n_tokens) OVER (
                            PARTITION BY document_id ORDER BY first_token, n_tokens) AS last_end
                        FROM passage
                    ) WHERE first_token < last_end)
                """)
        guard overlaps == true else { return }
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT x.dictionary_id, x.feature_index, x.corpus_id, x.split, p.document_id, p.first_token, p.n_tokens
                FROM feature_context AS x CROSS JOIN passage AS p ON p.passage_id = x.passage_id
                WHERE x.split IS NOT NULL ORDER BY x.dictionary_id, x.feature_index, x.corpus_id
                """)
        var feature: [Int64] = []
        var stretches: [Stretch] = []
        while let row = try rows.next(), problems.count < limit {
            let next: [Int64] = try [row.value(0), row.value(1), row.value(2)]
            if next != feature {
                checkSplits(&stretches, of: feature)
                feature = next
            }
            stretches.append(
                try Stretch(document: row.value(4), first: row.value(5), count: row.value(6), split: row.value(3)))
        }
        checkSplits(&stretches, of: feature)
    }

    /// The tokens of a context's passage.
    private struct Stretch {
        let document: Int64
        let first: Int
        let count: Int
        let split: Int
    }

    /// Checks the stretches of one feature, then clears them.
    private mutating func checkSplits(_ stretches: inout [Stretch], of feature: [Int64]) {
        defer { stretches.removeAll(keepingCapacity: true) }
        var document: Int64?
        // Where the stretches of each split that have been passed end.
        var ends: [Int: Int] = [:]
        for stretch in stretches.sorted(by: { ($0.document, $0.first) < ($1.document, $1.first) }) {
            if stretch.document != document { ends = [:] }
            document = stretch.document
            if ends.contains(where: { $0.key != stretch.split && $0.value > stretch.first }) {
                add(
                    "contexts of feature \(feature[1]) of dictionary \(feature[0])",
                    "explain and score contexts share a stretch of text")
                return
            }

            let (end, overflow) = stretch.first.addingReportingOverflow(stretch.count)
            ends[stretch.split] = max(ends[stretch.split] ?? .min, overflow ? .max : end)
        }
    }
}
