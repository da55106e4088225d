import GRDB

/// Lengths and corpora of all passages, to look contexts up.
struct InspectedPassages {
    private var tokenCounts: [Int32] = []
    private var corpora: [Int32] = []
    private var scattered: [Int64: (tokenCount: Int32, corpusID: Int32)] = [:]

    init(_ inspection: CatalogInspection) throws {
        let sizes = try inspection.read("SELECT max(passage_id), count(*) FROM passage")
        guard try sizes.next(), let last = try sizes.optionalInteger(0), last >= 0 else { return }
        // Keys are given out one after another; a file from elsewhere may hold any.
        let isDense = last < 4 * (try sizes.integer(1)) + 1024
        if isDense {
            tokenCounts = Array(repeating: 0, count: last + 1)
            corpora = Array(repeating: 0, count: last + 1)
        }

        let rows = try inspection.read(
            "SELECT p.passage_id, p.n_tokens, d.corpus_id FROM passage AS p JOIN document AS d USING (document_id)")
        while try rows.next() {
            let id = try rows.integer(0)
            let (count, corpus) = (Int32(clamping: max(0, try rows.integer(1))), Int32(clamping: try rows.integer(2)))
            if isDense, tokenCounts.indices.contains(id) {
                (tokenCounts[id], corpora[id]) = (count, corpus)
            } else {
                scattered[Int64(id)] = (count, corpus)
            }
        }
    }

    /// Nil if there is no such passage.
    subscript(id: Int64) -> (tokenCount: Int, corpusID: Int64)? {
        if id >= 0, id < tokenCounts.count, tokenCounts[Int(id)] > 0 {
            return (Int(tokenCounts[Int(id)]), Int64(corpora[Int(id)]))
        }
        return scattered[id].map { (Int($0.tokenCount), Int64($0.corpusID)) }
    }
}
