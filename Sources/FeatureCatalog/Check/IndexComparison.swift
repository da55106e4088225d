import GRDB
import GRDBSQLite
import Glibc

/// Compares a table's indexes with its rows, reading both in their own order.
///
/// SQLite's integrity check looks every row up in every index: for large tables that takes far longer than to read
/// them. Here the index has to ascend, and the sum of a keyed hash of all its entries has to be that of the rows.
struct IndexComparison {
    private let table: String
    private let indexes: [(name: String, columns: [String])]
    private let key: [String]
    /// Columns of which no index has all, so that none can be read in the place of the table.
    private let others: [String]
    private let seed = UInt64.random(in: .min ... .max) | 1

    /// Nil if the table has no index, or one that only SQLite can work out: with expressions, conditions, descending
    /// columns or unique ones.
    init?(_ entry: SchemaEntry, _ database: Database) throws {
        table = entry.name
        let hasRowIDs = !entry.sql.contains("WITHOUT ROWID")
        let columns = try Row.fetchAll(
            database, sql: "SELECT name FROM pragma_table_xinfo(?) WHERE pk > 0 ORDER BY pk", arguments: [entry.name])
        var key: [String] = try columns.map { try $0.value(0) }
        var indexes: [(name: String, columns: [String])] = []
        let list = try Row.fetchAll(
            database, sql: "SELECT name, \"unique\", origin, partial FROM pragma_index_list(?)",
            arguments: [entry.name])
        for index in list {
            let (name, origin): (String, String) = (try index.value(0), try index.value(2))
            // The primary key of a table without row ids is the table itself.
            if origin == "pk", !hasRowIDs { continue }
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
            indexes.append((name, names))
        }
        if hasRowIDs { key = ["rowid"] }
        guard !indexes.isEmpty, !key.isEmpty else { return nil }
        let stored = try String.fetchAll(
            database, sql: "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY cid",
            arguments: [entry.name])
        var others: Set<String> = []
        for index in indexes {
            guard let other = stored.first(where: { !index.columns.contains($0) && !key.contains($0) }) else {
                return nil
            }
            others.insert(other)
        }
        self.others = others.sorted()
        self.indexes = indexes
        self.key = key
    }

    /// - Returns: What is wrong with the indexes.
    func run(_ database: Database, path: String) throws -> [String] {
        let lists = indexes.map { index in index.columns + key.filter { !index.columns.contains($0) } }
        let all = lists.reduce(into: [String]()) { $0 += $1.filter { [known = $0] in !known.contains($0) } }
        let places = lists.map { list in list.compactMap { all.firstIndex(of: $0).map(Int32.init) } }
        var expected = Array(repeating: UInt64(0), count: lists.count)
        var count = 0
        let rows = try BulkRead(
            database, path: path, sql: "SELECT \(Self.names(all + others)) FROM \"\(table)\" NOT INDEXED")
        while try rows.next() {
            count += 1
            for (index, list) in places.enumerated() { expected[index] &+= hash(rows, list) }
        }
        return try lists.indices.compactMap { index in
            try compare(indexes[index].name, lists[index], expected[index], count, database, path)
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
            sum &+= hash(entries, places)
            found += 1
            if isOrdered { isOrdered = last.advance(to: entries) }
        }
        guard found == count else { return "index \(name) has \(found) entries of \(count)" }
        guard isOrdered else { return "index \(name) is not in order" }
        return sum == expected ? nil : "index \(name) holds other values than the rows"
    }

    private func hash(_ rows: BulkRead, _ columns: [Int32]) -> UInt64 {
        var state = seed
        for column in columns {
            let type = rows.type(column)
            state = Self.mixed(state ^ UInt64(bitPattern: Int64(type)))
            switch type {
            case SQLITE_NULL: continue
            case SQLITE_INTEGER, SQLITE_FLOAT: state = Self.mixed(state ^ rows.bits(column, type))
            default:
                state = rows.withBytes(column) { bytes in
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
        return state
    }

    /// A step of MurmurHash3's finaliser.
    private static func mixed(_ value: UInt64) -> UInt64 {
        var value = value &* 0xFF51_AFD7_ED55_8CCD
        value ^= value >> 33
        value = value &* 0xC4CE_B9FE_1A85_EC53
        return value ^ value >> 29
    }
}

/// An entry of an index, to see whether the next one is behind it.
private struct IndexEntry {
    private var types: [Int32]
    private var numbers: [UInt64]
    private var texts: [[UInt8]]
    private var isFirst = true

    init(columnCount: Int) {
        types = Array(repeating: SQLITE_NULL, count: columnCount)
        numbers = Array(repeating: 0, count: columnCount)
        texts = Array(repeating: [], count: columnCount)
    }

    /// Takes the entry that `rows` stands at; false if it is not behind the one before.
    mutating func advance(to rows: BulkRead) -> Bool {
        var order = isFirst ? -1 : 0
        isFirst = false
        for column in types.indices {
            let type = rows.type(Int32(column))
            let isNumber = type == SQLITE_INTEGER || type == SQLITE_FLOAT
            let bits = isNumber ? rows.bits(Int32(column), type) : 0
            let isText = type == SQLITE_TEXT || type == SQLITE_BLOB
            if order == 0 {
                order = compare(column, type, bits, rows)
                // What comes before the first difference is the same and need not be taken.
                if order == 0 { continue }
            }
            types[column] = type
            numbers[column] = bits
            if isText {
                rows.withBytes(Int32(column)) { bytes in
                    texts[column].removeAll(keepingCapacity: true)
                    texts[column].append(contentsOf: bytes)
                }
            }
        }
        return order < 0
    }

    /// Below 0 if what was taken is before what `rows` has, by SQLite's order: NULL, numbers, texts, blobs.
    private func compare(_ column: Int, _ type: Int32, _ bits: UInt64, _ rows: BulkRead) -> Int {
        let (one, two) = (Self.rank(types[column]), Self.rank(type))
        guard one == two else { return one - two }
        switch type {
        case SQLITE_NULL: return 0
        case SQLITE_INTEGER, SQLITE_FLOAT:
            if type == SQLITE_INTEGER, types[column] == SQLITE_INTEGER {
                let (one, two) = (Int64(bitPattern: numbers[column]), Int64(bitPattern: bits))
                return one < two ? -1 : one > two ? 1 : 0
            }
            let one = Self.real(types[column], numbers[column])
            let two = Self.real(type, bits)
            return one < two ? -1 : one > two ? 1 : 0
        default:
            return rows.withBytes(Int32(column)) { bytes in
                texts[column].withUnsafeBytes { known in
                    let common = min(known.count, bytes.count)
                    if common > 0, let one = known.baseAddress, let two = bytes.baseAddress {
                        let order = memcmp(one, two, common)
                        if order != 0 { return Int(order) }
                    }
                    return known.count - bytes.count
                }
            }
        }
    }

    private static func rank(_ type: Int32) -> Int {
        switch type {
        case SQLITE_NULL: 0
        case SQLITE_INTEGER, SQLITE_FLOAT: 1
        case SQLITE_TEXT: 2
        default: 3
        }
    }

    private static func real(_ type: Int32, _ bits: UInt64) -> Double {
        type == SQLITE_FLOAT ? Double(bitPattern: bits) : Double(Int64(bitPattern: bits))
    }
}
