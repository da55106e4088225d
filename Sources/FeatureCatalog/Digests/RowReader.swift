import CSQLiteRows
import GRDB
import GRDBSQLite

/// Goes through tables as they are and sums up their rows.
struct RowReader {
    let database: Database
    let path: String

    /// The sums of all tables.
    ///
    /// - Parameter progress: Told the bytes of every so many rows; an error that it throws ends the reading.
    func sums(progress: (_ table: String, _ byteCount: Int) throws -> Void = { _, _ in }) throws -> RowSums {
        var sums: RowSums = [:]
        for table in DigestedTable.all.indices {
            try sums.merge(self.sums(ofTable: table) { try progress(DigestedTable.all[table].name, $0) }) { $1 }
        }
        return sums
    }

    /// The sums of one table's parts.
    func sums(ofTable number: Int, progress: (_ byteCount: Int) throws -> Void) throws -> RowSums {
        let table = DigestedTable.all[number]
        let columns = try table.columns(database)
        guard let connection = database.sqliteConnection else {
            throw CatalogError(.failed, "\(path): the connection is closed")
        }
        var statement: OpaquePointer?
        let sql = "SELECT \(columns.names.joined(separator: ", ")) FROM \"\(table.name)\""
        let prepared = sqlite3_prepare_v2(connection, sql, -1, &statement, nil)
        defer { sqlite3_finalize(statement) }
        guard prepared == SQLITE_OK, let statement else { throw failure(prepared, connection) }
        var sums: RowSums = [:]
        var part = TablePart(table: number)
        var sum = RowSum()
        let (first, second) = (columns.partPlaces.first, columns.partPlaces.dropFirst().first)
        let start = Array(table.name.utf8) + [0]
        var bytes = rsae_bytes()
        defer { rsae_bytes_free(&bytes) }
        var (rows, byteCount) = (0, 0)
        var code = sqlite3_step(statement)
        while code == SQLITE_ROW {
            var next = TablePart(table: number)
            if let first { next.first = sqlite3_column_int64(statement, first) }
            if let second { next.second = sqlite3_column_int64(statement, second) }
            if next != part {
                if !sum.isZero { sums[part, default: RowSum()] += sum }
                (part, sum) = (next, RowSum())
            }
            bytes.count = 0
            guard rsae_bytes_append(&bytes, start, start.count),
                rsae_append_statement_row(&bytes, statement, columns.areReal, Int32(columns.names.count))
            else { throw failure(SQLITE_NOMEM, connection) }
            sum.add(row: UnsafeRawBufferPointer(start: bytes.start, count: bytes.count))
            rows += 1
            byteCount += bytes.count
            if byteCount >= 1 << 20 {
                try progress(byteCount)
                byteCount = 0
            }
            code = sqlite3_step(statement)
        }
        guard code == SQLITE_DONE else { throw failure(code, connection) }
        if !sum.isZero { sums[part, default: RowSum()] += sum }
        try progress(byteCount)
        return sums
    }

    private func failure(_ code: Int32, _ connection: OpaquePointer) -> CatalogError {
        CatalogError(resultCode: code, message: String(cString: sqlite3_errmsg(connection)), path: path)
    }
}
