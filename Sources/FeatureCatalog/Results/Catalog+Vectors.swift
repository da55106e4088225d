import GRDB

extension Catalog {
    /// Writes the tokens that features promote and suppress; a feature's earlier list is replaced.
    package func write(logits: [FeatureLogit], dictionaryID: Int64) throws(CatalogError) {
        try write { database in
            try clear("feature_logit", features: logits.map(\.featureIndex), dictionaryID: dictionaryID, database)
            let insert = try BulkInsert(
                database, path: path,
                sql: """
                    INSERT INTO feature_logit (dictionary_id, feature_index, direction, rank, token_id, value)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """)
            for logit in logits {
                insert.bind(1, dictionaryID)
                insert.bind(2, logit.featureIndex)
                insert.bind(3, logit.direction.rawValue)
                insert.bind(4, logit.rank)
                insert.bind(5, logit.tokenID)
                insert.bind(6, Double(logit.value))
                try insert.run()
            }
        }
    }

    /// The tokens that a feature promotes, then those that it suppresses, by rank.
    package func logits(dictionaryID: Int64, featureIndex: Int) throws(CatalogError) -> [FeatureLogit] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT feature_index, direction, rank, token_id, value FROM feature_logit
                    WHERE dictionary_id = ? AND feature_index = ? ORDER BY direction, rank
                    """,
                arguments: [dictionaryID, featureIndex]
            ).map { row in
                try FeatureLogit(
                    featureIndex: row.number(0), direction: enumeration(row.value(1), "feature_logit.direction"),
                    rank: row.number(2), tokenID: row.number(3), value: row.value(4))
            }
        }
    }

    /// Writes the features whose decoder vectors point the same way; a feature's earlier list is replaced.
    package func write(neighbors: [FeatureNeighbor], dictionaryID: Int64) throws(CatalogError) {
        try write { database in
            try clear("feature_neighbor", features: neighbors.map(\.featureIndex), dictionaryID: dictionaryID, database)
            let insert = try BulkInsert(
                database, path: path,
                sql: """
                    INSERT INTO feature_neighbor (dictionary_id, feature_index, rank, neighbor_index, cosine)
                    VALUES (?, ?, ?, ?, ?)
                    """)
            for neighbor in neighbors {
                insert.bind(1, dictionaryID)
                insert.bind(2, neighbor.featureIndex)
                insert.bind(3, neighbor.rank)
                insert.bind(4, neighbor.neighborIndex)
                insert.bind(5, Double(neighbor.cosine))
                try insert.run()
            }
        }
    }

    /// A feature's neighbours, nearest first.
    package func neighbors(dictionaryID: Int64, featureIndex: Int) throws(CatalogError) -> [FeatureNeighbor] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT feature_index, rank, neighbor_index, cosine FROM feature_neighbor
                    WHERE dictionary_id = ? AND feature_index = ? ORDER BY rank
                    """,
                arguments: [dictionaryID, featureIndex]
            ).map { row in
                try FeatureNeighbor(
                    featureIndex: row.number(0), rank: row.number(1), neighborIndex: row.number(2), cosine: row.value(3)
                )
            }
        }
    }

    /// Whether a dictionary has lists of promoted tokens.
    package func hasLogits(dictionaryID: Int64) throws(CatalogError) -> Bool {
        try has("feature_logit", dictionaryID)
    }

    /// Whether a dictionary has histograms of changes of logits.
    package func hasLogitHistograms(dictionaryID: Int64) throws(CatalogError) -> Bool {
        try has("feature_logit_histogram", dictionaryID)
    }

    /// Whether a dictionary has lists of nearest features.
    package func hasNeighbors(dictionaryID: Int64) throws(CatalogError) -> Bool {
        try has("feature_neighbor", dictionaryID)
    }

    private func has(_ table: String, _ dictionaryID: Int64) throws(CatalogError) -> Bool {
        try read { database in
            try Bool.fetchOne(
                database, sql: "SELECT EXISTS (SELECT 1 FROM \(table) WHERE dictionary_id = ?)",
                arguments: [dictionaryID]) ?? false
        }
    }

    private func clear(_ table: String, features: [Int], dictionaryID: Int64, _ database: Database) throws {
        let statement = try database.makeStatement(
            sql: "DELETE FROM \(table) WHERE dictionary_id = ? AND feature_index = ?")
        for featureIndex in Set(features) { try statement.execute(arguments: [dictionaryID, featureIndex]) }
    }
}
