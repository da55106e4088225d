import GRDB

extension CatalogInspection {
    mutating func checkDocuments() throws {
        let rows = try Row.fetchCursor(
            database, sql: "SELECT document_id, token_ids, n_tokens, is_shuffled FROM document")
        while let row = try rows.next() {
            let frame = try row.bytes(1)
            let count: Int = try row.value(2)
            let isShuffled: Bool = try row.value(3)
            do { _ = try TokenIDs.decode(frame, count: count, isShuffled: isShuffled) } catch {
                add("document \(try row.value(0) as Int64)", "token_ids: \(error)")
            }
        }
    }

    mutating func checkPassages() throws {
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT passage_id, text, token_starts, n_tokens, first_token,
                    (SELECT n_tokens FROM document AS d WHERE d.document_id = passage.document_id)
                FROM passage
                """)
        while let row = try rows.next() {
            let text: String = try row.value(1)
            let starts: String = try row.value(2)
            let (count, first): (Int, Int) = (try row.value(3), try row.value(4))
            let total: Int? = try row.value(5)
            let place = "passage \(try row.value(0) as Int64)"
            let (end, overflow) = first.addingReportingOverflow(count)
            if overflow || end > total ?? Int.max { add(place, "it reaches beyond its document") }
            if !PassageText.isConsistent(decimals: starts, tokenCount: count, length: text.unicodeScalars.count) {
                add(place, "token_starts do not ascend within its text")
            }
        }
    }
}
