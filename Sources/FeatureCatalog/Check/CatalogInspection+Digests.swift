import GRDB

extension CatalogInspection {
    /// Whether the rows of every table are those that this software wrote.
    mutating func checkDigests() throws {
        var kept: [String: [String: (rows: Int, digest: String)]] = [:]
        for row in try Row.fetchAll(database, sql: "SELECT table_name, part, n_rows, digest FROM table_digest") {
            kept[try row.value(0), default: [:]][try row.value(1)] = (try row.value(2), try row.value(3))
        }
        let reader = RowReader(database: database, path: catalog.path)
        let size = progress.byteCount
        var done = 0
        let sums = try reader.sums { [progress] _, byteCount in
            done += byteCount
            progress.report(.digests, share: Double(done) / Double(max(1, size)))
        }
        for (part, sum) in sums {
            let (table, name) = part.key
            let known = kept[table]?.removeValue(forKey: name)
            if known?.rows != sum.rowCount || known?.digest != sum.hexadecimal {
                add(Self.place(table, name), Self.difference(known?.rows ?? 0, sum.rowCount))
            }
        }
        for (table, parts) in kept {
            for (name, known) in parts { add(Self.place(table, name), Self.difference(known.rows, 0)) }
        }
    }

    private static func place(_ table: String, _ part: String) -> String { part.isEmpty ? table : "\(table), \(part)" }

    private static func difference(_ written: Int, _ found: Int) -> String {
        written == found
            ? "its rows are not those that were written: something else has changed them"
            : "\(written) rows were written, and \(found) are there: something else has changed them"
    }
}
