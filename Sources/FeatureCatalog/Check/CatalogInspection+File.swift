import GRDB

extension CatalogInspection {
    mutating func checkConstraints() throws {
        for entry in try SchemaEntry.own(database) where entry.type == "table" {
            guard let violation = TableChecks(statement: entry.sql).violation else { continue }
            let count = try Int.fetchOne(
                database, sql: "SELECT count(*) FROM \"\(entry.name)\" WHERE \(violation)")
            if let count, count > 0 { add(entry.name, "\(count) rows break its constraints") }
        }
    }

    mutating func checkReferences() throws {
        // Rows of features are checked while walking along the features.
        let walked: Set<String> = [
            "feature_layer", "feature_token", "feature_linear_histogram", "feature_cofiring", "feature_context",
        ]
        for entry in try SchemaEntry.own(database)
        where entry.type == "table" && !walked.contains(entry.name) && problems.count < limit {
            for row in try Row.fetchAll(database, sql: "PRAGMA foreign_key_check(\"\(entry.name)\")").prefix(limit) {
                let table: String = try row.value(0)
                let parent: String = try row.value(2)
                add(table, "a row refers to one that is not in \(parent)")
            }
        }
    }

    mutating func checkJSON() throws {
        let columns = [
            ("run", "config"), ("language_model", "config"), ("dictionary", "config"), ("dictionary", "layers"),
            ("dictionary_tensor", "shape"), ("indexing", "histogram_edges"),
            ("explanation", "detail"), ("packing", "options"), ("score", "metrics"), ("intervention", "detail"),
        ]
        for (table, column) in columns {
            let count = try Int.fetchOne(
                database, sql: "SELECT count(*) FROM \(table) WHERE \(column) IS NOT NULL AND NOT json_valid(\(column))"
            )
            if let count, count > 0 { add("\(table).\(column)", "\(count) rows are not JSON") }
        }
    }
}
