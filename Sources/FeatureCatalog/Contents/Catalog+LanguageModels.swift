import Foundation
import GRDB

extension Catalog {
    /// Adds a language model, or finds it: one with the same weights and name is not added again.
    ///
    /// - Returns: Its key.
    /// - Throws: ``CatalogError`` `.invalidValue` if the record contradicts itself.
    package func addLanguageModel(_ model: LanguageModelRecord) throws(CatalogError) -> Int64 {
        try checkJSON(model.configJSON, "config of language model \(model.name)")
        return try write { database in
            let known = try Int64.fetchOne(
                database, sql: "SELECT language_model_id FROM language_model WHERE sha256 = ? AND name = ?",
                arguments: [model.sha256, model.name])
            if let known { return known }
            try database.execute(
                sql: """
                    INSERT INTO language_model (name, revision, architecture, n_layers, d_model, vocab_size, config,
                        sha256, tokenizer_sha256)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    model.name, model.revision, model.architecture, model.layerCount, model.dModel,
                    model.vocabularySize,
                    model.configJSON, model.sha256, model.tokenizerSHA256,
                ])
            return database.lastInsertedRowID
        }
    }

    /// Gives a language model another name, unless one of the same weights has it.
    package func renameLanguageModel(_ languageModelID: Int64, to name: String) throws(CatalogError) {
        try write { database in
            try database.execute(
                sql: "UPDATE OR IGNORE language_model SET name = ?1 WHERE language_model_id = ?2 AND name <> ?1",
                arguments: [Self.storable(name), languageModelID])
        }
    }

    /// All language models, in the order in which they were added.
    package func languageModels() throws(CatalogError) -> [LanguageModelRecord] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT language_model_id, name, architecture, n_layers, d_model, vocab_size, config, sha256,
                        tokenizer_sha256, revision
                    FROM language_model ORDER BY language_model_id
                    """
            ).map { row in
                try LanguageModelRecord(
                    languageModelID: row.value(0), name: row.value(1), revision: row.value(9),
                    architecture: row.value(2), layerCount: row.number(3), dModel: row.number(4),
                    vocabularySize: row.number(5),
                    configJSON: row.value(6), sha256: row.value(7), tokenizerSHA256: row.value(8))
            }
        }
    }

    /// Writes a model's vocabulary; tokens that are there already are replaced.
    package func addTokens(languageModelID: Int64, _ tokens: some Sequence<TokenRecord>) throws(CatalogError) {
        try write { database in
            let statement = try database.makeStatement(
                sql: "INSERT OR REPLACE INTO token (language_model_id, token_id, text, bytes) VALUES (?, ?, ?, ?)")
            for token in tokens {
                try statement.execute(arguments: [
                    languageModelID, token.tokenID, Self.storable(token.text), token.bytes.map { Data($0) },
                ])
            }
        }
    }

    /// Entries of a model's vocabulary: those of `tokenIDs`, or all, by number.
    package func tokens(languageModelID: Int64, tokenIDs: [Int]? = nil) throws(CatalogError) -> [TokenRecord] {
        try read { database in
            let sql = "SELECT token_id, text, bytes FROM token WHERE language_model_id = ?"
            let record = { (row: Row) in
                try TokenRecord(tokenID: row.number(0), text: row.value(1), bytes: row.optionalBytes(2))
            }
            guard let tokenIDs else {
                return try Row.fetchAll(database, sql: sql + " ORDER BY token_id", arguments: [languageModelID])
                    .map(record)
            }
            // Many at a time: finding one takes less than starting a statement.
            let wanted = Set(tokenIDs).sorted()
            return try stride(from: 0, to: wanted.count, by: 1024).flatMap { start in
                let list = wanted[start..<min(start + 1024, wanted.count)].map(String.init).joined(separator: ",")
                return try Row.fetchAll(
                    database, sql: sql + " AND token_id IN (\(list)) ORDER BY token_id", arguments: [languageModelID]
                ).map(record)
            }
        }
    }

    /// Text as a column takes it: SQLite's text ends at a zero character, so its picture stands for it.
    static func storable(_ text: String) -> String {
        text.utf8.contains(0) ? String(text.unicodeScalars.map { $0 == "\0" ? "\u{2400}" : Character($0) }) : text
    }
}
