import FeatureCatalog
import Foundation
import GRDB
import Synchronization
import TestSupport
import Testing

/// Changed bytes of a small catalog: the result is an error, a problem that verification finds, or
/// unchanged contents.
///
/// Every 32nd byte is tested, some two thousand, and the unused bytes of a page together;
/// with `ROUTESAE_FLIPS=all`, which takes minutes, every byte of the file is changed by itself.
@Suite struct ByteFlipTests {
    @Test("Flipped bytes are errors, verified problems or harmless") func bytesHereAndThere() async throws {
        let directory = try MemoryDirectory()
        let path = try TinyCatalog.make(at: directory.file("start"))
        try Self.makeSmall(path)
        let whole = try Array(Data(contentsOf: URL(filePath: path)))
        let original = try Catalog.open(at: path, mode: .readOnly)
        let contents = try Contents(of: path)
        #expect(try original.verify() == [])

        let isThorough = ProcessInfo.processInfo.environment["ROUTESAE_FLIPS"] == "all"
        let all = isThorough ? whole.indices.map { $0..<$0 + 1 } : Self.stretches(of: whole)
        #expect(all.reduce(0) { $0 + $1.count } == whole.count)
        let stretches =
            isThorough ? all : all.indices.filter { $0.isMultiple(of: 32) || all[$0].count > 1 }.map { all[$0] }
        let counts = Mutex(Counts())
        try await Parallel.forEach(0..<stretches.count) { number, worker in
            let place = stretches[number].lowerBound
            var generator = SplitMix(state: UInt64(place))
            var bytes = whole
            for index in stretches[number] { bytes[index] ^= UInt8(1 + generator.next(below: 255)) }
            let path = directory.file("flipped-\(worker)")
            try Data(bytes).write(to: URL(filePath: path))
            let begin = ProcessorTime.ofThisThread
            let outcome = Self.look(at: path, contents)
            let taken = ProcessorTime.ofThisThread - begin
            #expect(taken < .seconds(10), "byte \(place)")
            #expect(try Array(Data(contentsOf: URL(filePath: path))) == bytes, "byte \(place): written to")
            let columns = outcome == .unnoticed ? try contents.differences(from: Contents(of: path)) : []
            #expect(columns.isEmpty, "byte \(place)")
            counts.withLock { counts in
                counts.outcomes[outcome.rawValue, default: 0] += 1
                counts.durations[outcome.rawValue, default: .zero] += taken
                for column in columns { counts.columns[column, default: 0] += 1 }
            }
        }

        let found = counts.withLock { $0 }
        #expect(found.outcomes["unnoticed"] == nil)
        #expect(
            found.outcomes["refused", default: 0] > stretches.count / 10
                && found.outcomes["noticed", default: 0] > stretches.count / 100)
        FaultInjectionTests.report(
            """
            flips: \(whole.count) bytes in \(stretches.count) inputs, \(found.outcomes), \(found.durations); unnoticed in
            \(found.columns.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
            """)
    }

    /// The smallest page size: it leaves the fewest unused bytes.
    private static func makeSmall(_ path: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA page_size = \(pageSize); VACUUM") }
        try queue.close()
    }

    /// The bytes of a file one by one, but for what lies between a page's cell pointers and its cells.
    private static func stretches(of file: [UInt8]) -> [Range<Int>] {
        stride(from: 0, to: file.count, by: pageSize).flatMap { page -> [Range<Int>] in
            func single(_ places: Range<Int>) -> [Range<Int>] { places.map { $0..<$0 + 1 } }
            let header = page == 0 ? 100 : page
            func number(_ offset: Int) -> Int { Int(file[header + offset]) << 8 | Int(file[header + offset + 1]) }
            // Leaves and inner pages of indexes and tables; all others are overflow pages.
            let headerSizes: [UInt8: Int] = [2: 12, 5: 12, 10: 8, 13: 8]
            guard let size = headerSizes[file[header]] else { return single(page..<page + pageSize) }
            let start = header + size + 2 * number(3)
            let end = page + (number(5) == 0 ? pageSize : number(5))
            guard start < end, end <= page + pageSize else { return single(page..<page + pageSize) }
            return single(page..<start) + [start..<end] + single(end..<page + pageSize)
        }
    }

    private static let pageSize = 512

    /// The result of a flip.
    private enum Outcome: String {
        case refused, noticed, unchanged, unnoticed
    }

    private struct Counts {
        var outcomes: [String: Int] = [:]
        var durations: [String: Duration] = [:]
        var columns: [String: Int] = [:]
    }

    private static func look(at path: String, _ contents: Contents) -> Outcome {
        guard let catalog = try? Catalog.open(at: path, mode: .readOnly) else { return .refused }
        defer { _ = try? catalog.close() }
        guard let found = try? Contents(of: path) else { return .noticed }
        if contents.differences(from: found).isEmpty { return .unchanged }
        return (try? catalog.verify()) == [] ? .unnoticed : .noticed
    }

    /// All rows of all tables.
    private struct Contents: Sendable {
        private struct Table: Sendable {
            let columns: [String]
            let rows: [[DatabaseValue]]
        }

        private var tables: [String: Table] = [:]

        init(of path: String) throws {
            let queue = try DatabaseQueue(path: path)
            defer { try? queue.close() }
            try queue.read { database in
                let tables = try Row.fetchAll(
                    database,
                    sql: """
                        SELECT name, ncol FROM pragma_table_list
                        WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'
                        """)
                for table in tables {
                    let (name, columnCount): (String, Int) = (table[0], table[1])
                    // In one order, whatever the statistics for the planner say.
                    let order = (1...columnCount).map(String.init).joined(separator: ", ")
                    let rows = try Row.fetchAll(database, sql: "SELECT * FROM \"\(name)\" ORDER BY \(order)")
                    self.tables[name] = Table(
                        columns: rows.first.map { Array($0.columnNames) } ?? [],
                        rows: rows.map { Array($0.databaseValues) })
                }
            }
        }

        /// The columns that hold something else.
        func differences(from other: Contents) -> [String] {
            var columns: Set<String> = []
            for (name, table) in tables {
                let rows = other.tables[name]?.rows ?? []
                if rows.count != table.rows.count { columns.insert("\(name), rows") }
                for (one, two) in zip(table.rows, rows) {
                    for (column, values) in zip(table.columns, zip(one, two)) where values.0 != values.1 {
                        columns.insert("\(name).\(column)")
                    }
                }
            }
            return columns.sorted()
        }
    }
}
