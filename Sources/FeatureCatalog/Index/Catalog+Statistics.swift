import GRDB

extension Catalog {
    /// Writes statistics for SQLite's planner (`sqlite_stat1`): a query that names a feature
    /// and no dictionary then uses the key instead of a table scan. Only indexes of `feature` are
    /// covered, so all other plans stay as they are.
    static func analyze(_ database: Database) throws {
        // A sample of rows of each index suffices.
        try database.execute(sql: "PRAGMA analysis_limit = 1000")
        for table in [
            "feature_layer", "feature_token", "feature_cofiring", "feature_context", "feature_logit",
            "feature_neighbor",
        ] {
            try database.execute(sql: "ANALYZE main.sqlite_autoindex_\(table)_1")
        }
        // If nothing narrows a query, SQLite 3.40 takes an index that leads to every row for as good as the
        // table itself, which is far faster. So the statistics claim that indexes are longer.
        try database.execute(
            sql: """
                ANALYZE main.feature;
                UPDATE sqlite_stat1
                SET stat = (iif(idx = tbl, 1, 2) * (
                        SELECT sum(d.n_latents) FROM indexing JOIN dictionary AS d USING (dictionary_id)
                    )) || substr(stat, instr(stat, ' '))
                WHERE tbl = 'feature';
                ANALYZE main.sqlite_schema;
                """)
    }
}
