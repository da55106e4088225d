import CSQLiteRows
import GRDB
import GRDBSQLite
import Glibc

/// Sums the digests of rows that a connection changes, through any statement, trigger or foreign key, so that
/// `table_digest` can be updated before they are committed.
///
/// Not thread-safe: it belongs to a connection, whose queue runs one block at a time.
final class ChangeRecorder: @unchecked Sendable {
    /// Cached data of a table for the hook.
    private struct Table {
        let number: Int
        let name: ContiguousArray<CChar>
        let columns: DigestedTable.Columns
        /// The bytes that every row of it begins with.
        let start: [UInt8]
    }

    private var tables: [String: Table] = [:]
    /// The table changed last; changes usually come in runs of one table.
    private var table: Table?
    /// The part changed last, and its changes, not yet in `sums`.
    private var part: TablePart?
    private var sum = RowSum()
    private var sums: RowSums = [:]
    private var bytes = rsae_bytes()
    /// A row could not be read; nothing may be committed.
    private var hasFailed = false

    deinit { rsae_bytes_free(&bytes) }

    /// Installs the hooks on a connection, which this has to outlive.
    func install(on database: Database) throws {
        guard let connection = database.sqliteConnection else { return }
        for (number, table) in DigestedTable.all.enumerated() {
            tables[table.name] = Table(
                number: number, name: ContiguousArray(table.name.utf8CString), columns: try table.columns(database),
                start: Array(table.name.utf8) + [0])
        }
        rsae_set_change_hook(
            connection,
            { context, connection, change, schema, table in
                guard let context, let connection, let table, let schema, strcmp(schema, "main") == 0 else { return }
                Unmanaged<ChangeRecorder>.fromOpaque(context)._withUnsafeGuaranteedRef {
                    $0.note(change, of: table, connection)
                }
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// The changes so far; saved before a savepoint, to be restored if it is rolled back.
    var changes: RowSums {
        get {
            gather()
            return sums
        }
        set {
            (part, sum, sums, hasFailed) = (nil, RowSum(), newValue, false)
        }
    }

    /// Adds the changes to `table_digest`, and clears them.
    func record(in database: Database, path: String) throws {
        // The full-text indexes write what they hold back when a savepoint begins, at the latest when committing.
        try database.execute(sql: "SAVEPOINT digests; RELEASE digests")
        guard !hasFailed else {
            throw CatalogError(.failed, "\(path): what was changed could not be summed up; nothing was written")
        }

        let changes = changes
        self.changes = [:]
        try changes.record(in: database)
    }

    /// Adds the cached changes of one part to `sums`.
    private func gather() {
        if let part, !sum.isZero { sums[part, default: RowSum()] += sum }
        part = nil
        sum = RowSum()
    }

    private func note(_ change: Int32, of name: UnsafePointer<CChar>, _ connection: OpaquePointer) {
        let isSame = table?.name.withUnsafeBufferPointer { $0.baseAddress.map { strcmp($0, name) == 0 } }
        if isSame != true { table = tables[String(cString: name)] }
        guard let table else { return }
        if change != Int32(rsae_inserted.rawValue) { note(isNew: false, table, connection) }
        if change != Int32(rsae_deleted.rawValue) { note(isNew: true, table, connection) }
    }

    private func note(isNew: Bool, _ table: Table, _ connection: OpaquePointer) {
        let columns = table.columns
        var part = TablePart(table: table.number)
        var isRead = true
        if let first = columns.partPlaces.first {
            isRead = rsae_changed_integer(connection, isNew, columns.numbers[Int(first)], &part.first)
        }
        if let second = columns.partPlaces.dropFirst().first {
            isRead = rsae_changed_integer(connection, isNew, columns.numbers[Int(second)], &part.second) && isRead
        }
        bytes.count = 0
        isRead =
            isRead && rsae_bytes_append(&bytes, table.start, table.start.count)
            && rsae_append_changed_row(
                &bytes, connection, isNew, columns.numbers, columns.areReal, Int32(columns.numbers.count))
        guard isRead else {
            hasFailed = true
            return
        }
        if self.part != part {
            gather()
            self.part = part
        }

        let row = UnsafeRawBufferPointer(start: bytes.start, count: bytes.count)
        if isNew { sum.add(row: row) } else { sum.subtract(row: row) }
    }
}
