import GRDB

/// A table whose rows have digests in `table_digest`, and how its rows are divided into parts.
struct DigestedTable {
    let name: String
    /// Columns with one value each in a part, two integers at most; none if the table is one part.
    let partColumns: [String]

    /// Every table of a catalog but `table_digest` itself, also those of the full-text indexes.
    static let all: [DigestedTable] = {
        let index = ["dictionary_id", "corpus_id"]
        let tables: [(String, [String])] = [
            ("catalog", []), ("run", []), ("run_input", ["run_id"]), ("run_metric", ["run_id"]),
            ("language_model", []), ("token", ["language_model_id"]), ("corpus", []), ("document", ["corpus_id"]),
            ("passage", []), ("packing", []), ("dictionary", []), ("dictionary_tensor", ["dictionary_id"]),
            ("tensor_chunk", ["tensor_id"]), ("indexing", []), ("feature", index), ("feature_layer", index),
            ("layer_routing", ["dictionary_id"]), ("feature_token", index), ("feature_cofiring", index),
            ("feature_linear_histogram", index), ("feature_logit_histogram", ["dictionary_id"]),
            ("feature_context", index), ("feature_logit", ["dictionary_id"]), ("feature_neighbor", ["dictionary_id"]),
            ("explanation", index), ("score", index), ("review", ["dictionary_id"]),
            ("evaluation", ["dictionary_id"]), ("intervention", ["dictionary_id"]), ("exchange", []),
        ]
        let fullText = ["passage_text", "explanation_text"].flatMap { index in
            ["data", "idx", "docsize", "config"].map { ("\(index)_\($0)", [String]()) }
        }
        return (tables + fullText).map { DigestedTable(name: $0.0, partColumns: $0.1) }
    }()

    /// The stored columns of a table, in order; virtual generated columns are left out.
    struct Columns {
        /// Their names, quoted.
        let names: [String]
        /// Their numbers in the table.
        let numbers: [Int32]
        /// Whether each is declared REAL, so that integers in it stand for reals.
        let areReal: [Bool]
        /// Positions of the part's columns among them.
        let partPlaces: [Int32]
        /// Whether rows have a row id outside the columns.
        let haveRowIDs: Bool
    }

    func columns(_ database: Database) throws -> Columns {
        let rows = try Row.fetchAll(
            database, sql: "SELECT name, cid, type FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY cid",
            arguments: [name])
        let names: [String] = try rows.map { try $0.value(0) }
        let definition = try String.fetchOne(
            database, sql: "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", arguments: [name])
        return try Columns(
            names: names.map { "\"\($0)\"" }, numbers: rows.map { try $0.value(1) },
            areReal: rows.map { try ($0.value(2) as String) == "REAL" },
            partPlaces: partColumns.map { column in
                guard let place = names.firstIndex(of: column) else {
                    throw CatalogError(.damaged, "table \(name) has no column \(column)")
                }
                return Int32(place)
            }, haveRowIDs: definition?.contains("WITHOUT ROWID") == false)
    }
}
