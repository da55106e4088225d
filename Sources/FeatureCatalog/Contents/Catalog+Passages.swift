import GRDB

extension Catalog {
    /// Adds passages, or finds them: one of the same document, place and length is not added again.
    ///
    /// - Returns: Their keys, in the order given.
    package func addPassages(_ passages: [PassageRecord]) throws(CatalogError) -> [Int64] {
        try write { database in
            let known = try database.makeStatement(
                sql: "SELECT passage_id FROM passage WHERE document_id = ? AND first_token = ? AND n_tokens = ?")
            let insert = try database.makeStatement(
                sql: """
                    INSERT INTO passage (document_id, segment, first_token, n_tokens, text, token_starts)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """)
            return try passages.map { passage in
                let text = passage.text
                guard text.tokenCount > 0, text.tokenStarts.last == text.text.unicodeScalars.count else {
                    throw CatalogError(
                        .invalidValue, "\(path): a passage without tokens, or whose tokens are not its text")
                }

                let place: StatementArguments = [passage.documentID, passage.firstToken, text.tokenCount]
                if let passageID = try Int64.fetchOne(known, arguments: place) { return passageID }
                try insert.execute(arguments: [
                    passage.documentID, passage.segment, passage.firstToken, text.tokenCount, text.text, text.decimals,
                ])
                return database.lastInsertedRowID
            }
        }
    }

    /// The passages of a document, by place.
    ///
    /// - Throws: ``CatalogError`` `.damaged` if a passage's tokens do not fit its text.
    package func passages(documentID: Int64) throws(CatalogError) -> [PassageRecord] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT passage_id, document_id, segment, first_token, n_tokens, text, token_starts FROM passage
                    WHERE document_id = ? ORDER BY first_token, n_tokens
                    """,
                arguments: [documentID]
            ).map { row in
                let text: String = try row.value(5)
                guard let starts = PassageText.starts(decimals: try row.value(6), tokenCount: try row.tally(4)),
                    starts.last == text.unicodeScalars.count
                else {
                    throw CatalogError(
                        .damaged, "\(path): passage \(try row.value(0) as Int64): its tokens do not fit it")
                }
                return try PassageRecord(
                    passageID: row.value(0), documentID: row.value(1), segment: row.number(2),
                    firstToken: row.number(3), text: PassageText(text: text, tokenStarts: starts))
            }
        }
    }
}
