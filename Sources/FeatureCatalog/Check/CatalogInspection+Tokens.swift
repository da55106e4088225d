import GRDB

extension CatalogInspection {
    /// Checks the text of passages against their documents' tokens in the model's vocabulary. They differ if a model
    /// was given another tokenizer between two indexings.
    mutating func checkPassageTokens() throws {
        for row in try Row.fetchAll(database, sql: "SELECT corpus_id, name, language_model_id FROM corpus") {
            let vocabulary = try vocabulary(of: try row.value(2))
            guard !vocabulary.isEmpty else { continue }
            try checkPassageTokens(corpus: try row.value(0), named: try row.value(1), vocabulary)
        }
    }

    /// The bytes of every token of a model; empty for a model without vocabulary.
    private func vocabulary(of model: Int64) throws -> [Int: [UInt8]] {
        var bytes: [Int: [UInt8]] = [:]
        let rows = try Row.fetchCursor(
            database, sql: "SELECT token_id, text, bytes FROM token WHERE language_model_id = ?", arguments: [model])
        while let row = try rows.next() {
            let text: String = try row.value(1)
            bytes[try row.value(0)] = try row.optionalBytes(2) ?? Array(text.utf8)
        }
        return bytes
    }

    private mutating func checkPassageTokens(
        corpus: Int64, named name: String, _ vocabulary: [Int: [UInt8]]
    ) throws {
        var (wrong, first) = (0, "")
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT p.passage_id, p.text, p.token_starts, p.n_tokens, p.first_token, d.document_id, d.token_ids,
                    d.n_tokens, d.is_shuffled
                FROM document AS d CROSS JOIN passage AS p USING (document_id)
                WHERE d.corpus_id = ? ORDER BY d.document_id, p.first_token
                """,
            arguments: [corpus])
        var document: (id: Int64, tokens: [Int32])?
        while let row = try rows.next() {
            let documentID: Int64 = try row.value(5)
            if document?.id != documentID {
                let tokens = try? TokenIDs.decode(
                    try row.bytes(6), count: try row.value(7), isShuffled: try row.value(8))
                document = tokens.map { (documentID, $0) }
            }

            let (count, start): (Int, Int) = (try row.value(3), try row.value(4))
            // Damage has been reported before.
            guard let tokens = document?.tokens, start >= 0, count > 0, count <= tokens.count,
                start <= tokens.count - count,
                let starts = PassageText.starts(decimals: try row.value(2), tokenCount: count)
            else { continue }
            let bytes = tokens[start..<start + count].compactMap { vocabulary[Int($0)] }
            guard bytes.count == count else { continue }
            let expected = PassageText(tokenBytes: bytes)
            let text: String = try row.value(1)
            guard !expected.text.utf8.elementsEqual(text.utf8) || expected.tokenStarts != starts else { continue }
            wrong += 1
            guard wrong == 1 else { continue }
            let place = zip(expected.tokenStarts, starts).enumerated().first { $1.0 != $1.1 }.map {
                max($0.offset - 1, 0)
            }
            first = "passage \(try row.value(0) as Int64)"
            if let place { first += ", token \(start + place) of document \(documentID) (id \(tokens[start + place]))" }
        }
        if wrong > 0 {
            add(
                "corpus \(name)",
                "\(wrong) passages do not read as their tokens do in the model's vocabulary (\(first)): another tokenizer "
                    + "made them")
        }
    }
}
