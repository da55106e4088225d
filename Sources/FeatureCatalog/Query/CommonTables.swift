/// Counts the subqueries that a statement's common tables (`WITH name AS (…)`) expand to.
///
/// SQLite expands a common table's SELECT wherever it is named, and cannot be interrupted meanwhile:
/// thirty tables that each name the one before twice expand to a billion subqueries.
struct CommonTables {
    private enum Token: Equatable {
        case word(String)
        case mark(UInt8)
    }

    /// The tables named by a table's own SELECT, and its expanded count once known.
    private final class Table {
        var references: [String] = []
        var count: Int?
        var isBeingCounted = false
    }

    private static let clauseEnds: Set<String> = [
        "where", "group", "order", "limit", "having", "window", "select", "union", "intersect", "except", "values",
    ]

    private let tokens: [Token]
    private var tables: [String: Table] = [:]
    /// Positions where a name refers to a table, in order.
    private var references: [(place: Int, name: String)] = []

    /// The number of SELECTs after expansion; `Int.max` if it cannot be determined.
    static func expandedCount(_ sql: String) -> Int {
        var tables = CommonTables(sql)
        tables.findReferences()
        tables.findTables()
        return tables.references.reduce(1) { saturated($0, tables.count(of: $1.name)) }
    }

    private init(_ sql: String) {
        tokens = Self.tokens(Array(sql.utf8))
    }

    /// Finds names behind FROM, JOIN and IN, and behind commas of a FROM clause.
    private mutating func findReferences() {
        var isInFrom = [false]
        var expectsTable = false
        for (place, token) in tokens.enumerated() {
            switch token {
            case .word("from"):
                isInFrom[isInFrom.count - 1] = true
                expectsTable = true
            case .word("join"), .word("in"): expectsTable = true
            case .word(let name):
                if Self.clauseEnds.contains(name) { isInFrom[isInFrom.count - 1] = false }
                if expectsTable { references.append((place, name)) }
                expectsTable = false
            case .mark(UInt8(ascii: "(")): isInFrom.append(expectsTable)
            case .mark(UInt8(ascii: ")")):
                if isInFrom.count > 1 { isInFrom.removeLast() }
                expectsTable = false
            case .mark(UInt8(ascii: ",")): expectsTable = isInFrom[isInFrom.count - 1]
            case .mark: expectsTable = false
            }
        }
    }

    /// Finds names before `AS (`, with or without column names, and the tables named between the parentheses.
    private mutating func findTables() {
        var opening: [Int] = []
        var partners: [Int: Int] = [:]
        for (place, token) in tokens.enumerated() {
            if token == .mark(UInt8(ascii: "(")) { opening.append(place) }
            if token == .mark(UInt8(ascii: ")")), let start = opening.popLast() {
                partners[start] = place
                partners[place] = start
            }
        }
        for (start, end) in partners where start < end {
            var before = start - 1
            if token(before) == .word("materialized") { before -= 1 }
            if token(before) == .word("not") { before -= 1 }
            guard token(before) == .word("as") else { continue }
            before -= 1
            if let columns = partners[before] { before = columns - 1 }
            guard case .word(let name) = token(before) else { continue }
            let table = tables[name] ?? Table()
            table.references += references.filter { (start..<end).contains($0.place) && $0.name != name }.map(\.name)
            tables[name] = table
        }
    }

    private func token(_ place: Int) -> Token? {
        tokens.indices.contains(place) ? tokens[place] : nil
    }

    private func count(of name: String) -> Int {
        guard let table = tables[name] else { return 1 }
        if let count = table.count { return count }
        guard !table.isBeingCounted else { return .max }
        table.isBeingCounted = true
        let count = table.references.reduce(1) { Self.saturated($0, self.count(of: $1)) }
        table.count = count
        return count
    }

    private static func saturated(_ one: Int, _ two: Int) -> Int {
        let (sum, overflow) = one.addingReportingOverflow(two)
        return overflow ? .max : sum
    }

    // MARK: Words

    /// Words in lower case, quoted ones too: SQLite accepts even a string as a name.
    private static func tokens(_ sql: [UInt8]) -> [Token] {
        var tokens: [Token] = []
        var place = 0
        func byte(_ offset: Int = 0) -> UInt8 { place + offset < sql.count ? sql[place + offset] : 0 }
        while place < sql.count {
            let start = place
            switch byte() {
            case UInt8(ascii: " "), 9, 10, 12, 13: place += 1
            case UInt8(ascii: "-") where byte(1) == UInt8(ascii: "-"):
                while place < sql.count, byte() != 10 { place += 1 }
            case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "*"):
                place += 2
                while place < sql.count, !(byte() == UInt8(ascii: "*") && byte(1) == UInt8(ascii: "/")) { place += 1 }
                place += 2
            case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"), UInt8(ascii: "["):
                let end = byte() == UInt8(ascii: "[") ? UInt8(ascii: "]") : byte()
                place += 1
                while place < sql.count, byte() != end || byte(1) == end && end != UInt8(ascii: "]") {
                    place += byte() == end ? 2 : 1
                }
                tokens.append(.word(lowercased(sql[min(start + 1, sql.count)..<min(place, sql.count)])))
                place += 1
            case let first where isPartOfWord(first):
                while place < sql.count, isPartOfWord(byte()) { place += 1 }
                tokens.append(.word(lowercased(sql[start..<place])))
            case let mark:
                tokens.append(.mark(mark))
                place += 1
            }
        }
        return tokens
    }

    private static func isPartOfWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "$"), 0x80...:
            true
        default: false
        }
    }

    private static func lowercased(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }, as: UTF8.self)
    }
}
