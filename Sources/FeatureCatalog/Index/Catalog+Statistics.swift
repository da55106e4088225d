import GRDB

extension Catalog {
    /// Writes down for SQLite's planner how the keys of large tables vary (`sqlite_stat1`): a question that names a feature
    /// and no dictionary then goes along the key instead of through the table. Of other indexes than those of `feature`
    /// it learns nothing, so that all other plans stay as they are.
    static func analyze(_ database: Database) throws {
        // A look at so many rows of each index is enough to see what hardly varies.
        try database.execute(sql: "PRAGMA analysis_limit = 1000")
        for table in [
            "feature_layer", "feature_token", "feature_cofiring", "feature_context", "feature_logit",
            "feature_neighbor",
        ] {
            try database.execute(sql: "ANALYZE main.sqlite_autoindex_\(table)_1")
        }
        // Where nothing narrows a question down, SQLite 3.40 takes an index that leads to every row for as good as the
        // rows themselves, which it is not by far. It has to learn that indexes are longer.
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
