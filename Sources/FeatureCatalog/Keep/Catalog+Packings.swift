import GRDB

extension Catalog {
    /// Records that this catalog was packed: what was left out, and the sizes.
    package func notePacking(options: String, bytesBefore: Int) throws(CatalogError) {
        try checkJSON(options, "options of a packing")
        try write { database in
            try database.execute(
                sql: """
                    INSERT INTO packing (packed_at, options, bytes_before, bytes_after)
                    VALUES (?, ?, ?, (SELECT page_count * page_size FROM pragma_page_count, pragma_page_size))
                    """,
                arguments: [Timestamp.now(), options, bytesBefore])
        }
    }
}

extension CatalogCopy {
    /// Copies the records of earlier packings.
    package func copyPackings() throws {
        try source.read { from in
            try target.write { to in try copy("packing", "TRUE ORDER BY packing_id", from, to, key: "packing_id") }
        }
    }
}
