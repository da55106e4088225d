import GRDBSQLite
import Glibc

/// An entry of an index, for checking the order.
struct IndexEntry {
    private var types: [Int32]
    private var numbers: [UInt64]
    private var texts: [[UInt8]]
    private var isFirst = true

    init(columnCount: Int) {
        types = Array(repeating: SQLITE_NULL, count: columnCount)
        numbers = Array(repeating: 0, count: columnCount)
        texts = Array(repeating: [], count: columnCount)
    }

    /// Takes the current entry; false if it does not follow the previous one.
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
                // Columns before the first difference are equal and need not be copied.
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
