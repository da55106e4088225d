import FeatureCatalog

/// Operations and queries on catalogs for tests.
extension Catalog {
    /// Removes a dictionary with everything known about its features.
    func removeDictionary(_ dictionaryID: Int64) throws {
        try execute(sql: "DELETE FROM dictionary WHERE dictionary_id = \(dictionaryID)")
    }

    /// Removes a run with all that it wrote.
    func dropRun(_ runID: Int64) throws {
        try execute(sql: "DELETE FROM run WHERE run_id = \(runID)")
    }

    /// Lets the file grow no further than `pageCount` pages, as a full disk would.
    func limitPages(to pageCount: Int) throws {
        try execute(sql: "PRAGMA max_page_count = \(pageCount)")
    }

    /// The number of pages that the file has.
    func pageCount() throws -> Int {
        guard case .integer(let count)? = try rows(sql: "PRAGMA page_count").rows.first?.first else { return 0 }
        return Int(count)
    }

    /// The columns of a table or view, in order.
    func columns(of table: String) throws -> [String] {
        try texts("SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1", [.text(table)])
    }

    /// The schema's statements in the order of creation, each ended; what `schema/catalog.sql` holds. The tables of
    /// full-text indexes and of statistics, which SQLite makes, are left out.
    func schemaText() throws -> String {
        try texts(
            """
            SELECT sql || ';' || char(10) FROM sqlite_schema
            WHERE sql <> '' AND name NOT GLOB 'sqlite_stat*' AND NOT (
                type = 'table' AND (name GLOB '*_text_data' OR name GLOB '*_text_idx' OR name GLOB '*_text_docsize'
                    OR name GLOB '*_text_config'))
            ORDER BY rowid
            """
        ).joined(separator: "\n")
    }

    private func texts(_ sql: String, _ arguments: [CatalogValue] = []) throws -> [String] {
        try rows(sql: sql, arguments: arguments).rows.compactMap {
            if case .text(let text) = $0[0] { text } else { nil }
        }
    }
}
