import GRDB
import GRDBSQLite

/// Compares a table's indexes with its rows, reading both in their own order.
///
/// SQLite's integrity check looks every row up in every index: for large tables that takes far longer than reading
/// them. Here the index has to ascend, and the sum of a keyed hash over its entries has to equal that of the rows,
/// which are hashed while they are read for their digests.
struct IndexComparison {
    private let table: String
    /// Names of the indexes, and their columns with those of the key behind them.
    private let indexes: [(name: String, columns: [String])]
    /// Columns of a row of the table that indexes hold.
    private let columns: [Int32]
    /// Where each index's columns are among those.
    private let places: [[Int]]
    private let seed = UInt64.random(in: .min ... .max) | 1
    /// For each index the expected sum of its entries.
    private var expected: [UInt64]
    /// Hashes of the row's values, by the places of `columns`.
    private var values: [UInt64]
    private var rowCount = 0

    /// Nil if the table has no index, or one that only SQLite can evaluate: with expressions, conditions, descending
    /// columns or unique ones.
    init?(_ entry: SchemaEntry, _ database: Database) throws {
        guard let table = DigestedTable.all.first(where: { $0.name == entry.name }) else { return nil }
        let columns = try table.columns(database)
        let key =
            columns.haveRowIDs
            ? ["rowid"]
            : try String.fetchAll(
                database, sql: "SELECT name FROM pragma_table_xinfo(?) WHERE pk > 0 ORDER BY pk",
                arguments: [entry.name])
        var indexes: [(name: String, columns: [String])] = []
        let list = try Row.fetchAll(
            database, sql: "SELECT name, \"unique\", origin, partial FROM pragma_index_list(?)",
            arguments: [entry.name])
        for index in list {
            let (name, origin): (String, String) = (try index.value(0), try index.value(2))
            // The primary key of a table without row ids is the table itself.
            if origin == "pk", !columns.haveRowIDs { continue }
            guard try index.value(1) as Int == 0, try index.value(3) as Int == 0 else { return nil }
            let parts = try Row.fetchAll(
                database, sql: "SELECT cid, name, \"desc\", coll FROM pragma_index_xinfo(?) WHERE key ORDER BY seqno",
                arguments: [name])
            var names: [String] = []
            for part in parts {
                guard try part.value(0) as Int > -2, try part.value(2) as Int == 0, try part.value(3) == "BINARY" else {
                    return nil
                }
                names.append(try part.value(1) ?? "rowid")
            }
            indexes.append((name, names + key.filter { !names.contains($0) }))
        }
        guard !indexes.isEmpty, !key.isEmpty else { return nil }
        let all = columns.names + ["\"rowid\""]
        let found = indexes.map { index in index.columns.map { all.firstIndex(of: "\"\($0)\"").map(Int32.init) } }
        // Virtual generated columns are not among the stored ones.
        guard !found.contains(where: { $0.contains(nil) }) else { return nil }
        let held = Set(found.joined().compactMap(\.self)).sorted()
        self.table = entry.name
        self.indexes = indexes
        self.columns = held
        places = found.map { $0.compactMap { column in held.firstIndex { $0 == column } } }
        values = Array(repeating: 0, count: held.count)
        expected = Array(repeating: 0, count: indexes.count)
    }

    /// Adds the current row of `rows`, as ``RowReader`` walks the table.
    mutating func add(_ rows: BulkRead) {
        rowCount += 1
        for (place, column) in columns.enumerated() { values[place] = hash(rows, column) }
        for index in expected.indices {
            expected[index] &+= places[index].reduce(seed) { Self.mixed($0 ^ values[$1]) }
        }
    }

    /// - Returns: The problems of the indexes, once all rows are added.
    func contradictions(_ database: Database, path: String) throws -> [String] {
        try indexes.indices.compactMap { index in
            try compare(indexes[index].name, indexes[index].columns, expected[index], rowCount, database, path)
        }
    }

    private static func names(_ columns: [String]) -> String {
        columns.map { "\"\($0)\"" }.joined(separator: ", ")
    }

    private func compare(
        _ name: String, _ columns: [String], _ expected: UInt64, _ count: Int, _ database: Database,
        _ path: String
    ) throws -> String? {
        let entries = try BulkRead(
            database, path: path, sql: "SELECT \(Self.names(columns)) FROM \"\(table)\" INDEXED BY \"\(name)\"")
        let places = columns.indices.map { Int32($0) }
        var (sum, found, isOrdered) = (UInt64(0), 0, true)
        var last = IndexEntry(columnCount: columns.count)
        while try entries.next() {
            sum &+= places.reduce(seed) { Self.mixed($0 ^ hash(entries, $1)) }
            found += 1
            if isOrdered { isOrdered = last.advance(to: entries) }
        }
        guard found == count else { return "index \(name) has \(found) entries of \(count)" }
        guard isOrdered else { return "index \(name) is not in order" }
        return sum == expected ? nil : "index \(name) holds other values than the rows"
    }

    private func hash(_ rows: BulkRead, _ column: Int32) -> UInt64 {
        let type = rows.type(column)
        let state = Self.mixed(seed &+ UInt64(bitPattern: Int64(type)))
        switch type {
        case SQLITE_NULL: return state
        case SQLITE_INTEGER, SQLITE_FLOAT: return Self.mixed(state ^ rows.bits(column, type))
        default:
            return rows.withBytes(column) { bytes in
                var state = Self.mixed(state ^ UInt64(bytes.count))
                var offset = 0
                while offset + 8 <= bytes.count {
                    state = Self.mixed(state ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                    offset += 8
                }

                var rest: UInt64 = 0
                for byte in bytes[offset...] { rest = rest << 8 | UInt64(byte) }
                return Self.mixed(state ^ rest)
            }
        }
    }

    /// A step of MurmurHash3's finaliser.
    private static func mixed(_ value: UInt64) -> UInt64 {
        var value = value &* 0xFF51_AFD7_ED55_8CCD
        value ^= value >> 33
        value = value &* 0xC4CE_B9FE_1A85_EC53
        return value ^ value >> 29
    }
}
