import CSQLiteRows
import GRDB

/// Reads whole tables and sums the digests of their rows.
struct RowReader {
    let database: Database
    let path: String

    /// The sums of all tables; while migrating, of those that there are.
    func sums() throws -> RowSums {
        let present = try String.fetchSet(database, sql: "SELECT name FROM sqlite_schema WHERE type = 'table'")
        return try DigestedTable.all.indices.filter { present.contains(DigestedTable.all[$0].name) }
            .reduce(into: [:]) { sums, table in try sums.merge(self.sums(ofTable: table)) { $1 } }
    }

    /// The sums of one table's parts.
    ///
    /// - Parameter each: Told of every row, whose values are those of the table's stored columns in their order; in a table
    ///   that has row ids these come behind them.
    func sums(ofTable number: Int, each: (BulkRead) throws -> Void = { _ in }) throws -> RowSums {
        let table = DigestedTable.all[number]
        let columns = try table.columns(database)
        let names = columns.names + (columns.haveRowIDs ? ["rowid"] : [])
        // Of the table itself: an index could be read in its place, and need not hold the same.
        let rows = try BulkRead(
            database, path: path, sql: "SELECT \(names.joined(separator: ", ")) FROM \"\(table.name)\" NOT INDEXED")
        var sums: RowSums = [:]
        var part = TablePart(table: number)
        var sum = RowSum()
        let (first, second) = (columns.partPlaces.first, columns.partPlaces.dropFirst().first)
        let start = Array(table.name.utf8) + [0]
        var bytes = rsae_bytes()
        defer { rsae_bytes_free(&bytes) }
        while try rows.next() {
            // First, as the bytes of a row are made of texts in UTF-8 whatever the file's encoding.
            try each(rows)
            var next = TablePart(table: number)
            if let first { next.first = rows.number(first) }
            if let second { next.second = rows.number(second) }
            if next != part {
                if !sum.isZero { sums[part, default: RowSum()] += sum }
                (part, sum) = (next, RowSum())
            }
            bytes.count = 0
            guard rsae_bytes_append(&bytes, start, start.count), rows.append(to: &bytes, areReal: columns.areReal)
            else {
                throw CatalogError(.failed, "\(path): no memory for a row of \(table.name)")
            }
            sum.add(row: UnsafeRawBufferPointer(start: bytes.start, count: bytes.count))
        }
        if !sum.isZero { sums[part, default: RowSum()] += sum }
        return sums
    }
}
