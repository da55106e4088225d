import FeatureCatalog
import Foundation
import GRDB
import Synchronization
import TestSupport
import Testing

/// Randomly damaged catalogs: reading ends with an error or a result, soon, and writes
/// nothing. More inputs than the few of a test run come with `ROUTESAE_FUZZ=100000`, others with
/// `ROUTESAE_FUZZ_SEED=7`; every failure names the number of its input.
@Suite struct CatalogFuzzTests {
    private static let inputCount = setting("ROUTESAE_FUZZ") ?? 150
    private static let seed = UInt64(setting("ROUTESAE_FUZZ_SEED") ?? 1)

    private static func setting(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
    }

    /// How a catalog is damaged.
    enum Mutation: CaseIterable {
        /// Bytes of the file: some, a stretch of them, pages that change places, an end that is missing.
        case file
        /// Values of cells, through a connection that ignores all constraints.
        case cells
        /// Contents of blobs, recompressed so that their checksums match.
        case contents
    }

    @Test("Randomly damaged catalogs end in an error or a result", arguments: Mutation.allCases)
    func damagedAtRandom(mutation: Mutation) async throws {
        let directory = try MemoryDirectory()
        let start = try TinyCatalog.make(at: directory.file("start"))
        let whole = try Data(contentsOf: URL(filePath: start))
        let places = try CellPlace.all(in: start)
        let noticed = Mutex(0)
        let slowest = Mutex(Duration.zero)
        try await Parallel.forEach(0..<Self.inputCount) { number, worker in
            var generator = SplitMix(state: Self.seed &* 1_000_003 &+ UInt64(number))
            let path = directory.file("catalog-\(worker)")
            switch mutation {
            case .file: try Self.damagedFile(whole, &generator).write(to: URL(filePath: path))
            case .cells, .contents:
                try whole.write(to: URL(filePath: path))
                try Self.damage(path, places, contents: mutation == .contents, &generator)
            }

            let before = try Data(contentsOf: URL(filePath: path))
            let begin = ProcessorTime.ofThisThread
            var hasNoticed = true
            do {
                let catalog = try Catalog.open(at: path, mode: .readOnly)
                hasNoticed = EveryReading(catalog).noticed
                try catalog.close()
            } catch let error as CatalogError {
                #expect(EveryReading.expected.contains(error.code), "\(mutation) \(number): \(error.code)")
            }

            let taken = ProcessorTime.ofThisThread - begin
            #expect(taken < .seconds(20), "\(mutation) \(number): \(taken)")
            #expect(try Data(contentsOf: URL(filePath: path)) == before, "\(mutation) \(number): written to")
            if hasNoticed { noticed.withLock { $0 += 1 } }
            slowest.withLock { $0 = max($0, taken) }
        }
        #expect(noticed.withLock { $0 } > Self.inputCount / 10)
        FaultInjectionTests.report(
            """
            fuzz \(mutation): \(Self.inputCount) inputs, \(noticed.withLock { $0 }) noticed, slowest \(slowest.withLock { $0 })
            """)
    }

    /// A damaged old catalog is migrated, or refused with a reason and left at some step, from which a retry
    /// gets no further.
    @Test("A damaged old catalog is migrated or refused", arguments: [Mutation.file, .cells])
    func anOldOneIsMigratedOrRefused(mutation: Mutation) async throws {
        let directory = try MemoryDirectory()
        let whole = try FrozenCatalog.one.bytes()
        try whole.write(to: URL(filePath: directory.file("start")))
        let places = try CellPlace.all(in: directory.file("start"))
        let refused = Mutex(0)
        try await Parallel.forEach(0..<Self.inputCount / 3) { number, worker in
            var generator = SplitMix(state: Self.seed &* 2_000_003 &+ UInt64(number))
            let path = directory.file("catalog-\(worker)")
            for suffix in ["", "-wal", "-shm", "-journal"] {
                try? FileManager.default.removeItem(atPath: path + suffix)
            }
            if mutation == .file {
                try Self.damagedFile(whole, &generator).write(to: URL(filePath: path))
            } else {
                try whole.write(to: URL(filePath: path))
                try Self.damage(path, places, contents: false, &generator)
            }

            let begin = ProcessorTime.ofThisThread
            let outcomes = try (0..<2).map { _ in try Self.migrate(path) }
            if let reason = outcomes[0] {
                #expect(!reason.message.contains("\n"), "\(mutation) \(number): \(reason.message)")
                #expect(outcomes[1] != nil, "\(mutation) \(number): \(reason.message)")
                refused.withLock { $0 += 1 }
            } else {
                #expect(outcomes[1] == nil, "\(mutation) \(number)")
                let catalog = try Catalog.open(at: path, mode: .readOnly)
                _ = EveryReading(catalog)
                try catalog.close()
            }
            #expect(ProcessorTime.ofThisThread - begin < .seconds(20), "\(mutation) \(number)")
        }
        #expect((1..<Self.inputCount / 3).contains(refused.withLock { $0 }))
    }

    private static func migrate(_ path: String) throws -> CatalogError? {
        do {
            try Catalog.migrate(at: path)
            return nil
        } catch {
            #expect(EveryReading.expected.contains(error.code), "\(error.code): \(error.message)")
            return error
        }
    }

    // MARK: Mutations

    private static func damagedFile(_ whole: Data, _ generator: inout SplitMix) -> Data {
        var bytes = Array(whole)
        // The first hundred bytes are the header, which would be all that is ever found wrong.
        func place() -> Int {
            generator.next(below: 20) == 0 ? generator.next(below: 100) : 100 + generator.next(below: bytes.count - 100)
        }
        switch generator.next(below: 5) {
        case 0: for _ in 0...generator.next(below: 8) { bytes[place()] ^= UInt8(1 << generator.next(below: 8)) }
        case 1:
            let first = place()
            let value = UInt8(truncatingIfNeeded: generator.next())
            for index in first..<min(first + 1 + generator.next(below: 64), bytes.count) {
                bytes[index] = generator.next(below: 2) == 0 ? value : UInt8(truncatingIfNeeded: generator.next())
            }
        case 2:
            // Big-endian numbers such as page numbers, counts and offsets.
            let first = min(place(), bytes.count - 4)
            let value = [0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF][generator.next(below: 9)]
            for index in 0..<(generator.next(below: 2) == 0 ? 2 : 4) {
                bytes[first + index] = UInt8(truncatingIfNeeded: value >> (8 * (3 - index)))
            }
        case 3:
            let size = 8192
            let pages = bytes.count / size
            let (one, two) = (size * generator.next(below: pages), size * generator.next(below: pages))
            for index in 0..<size { bytes.swapAt(one + index, two + index) }
        default: bytes.removeLast(1 + generator.next(below: bytes.count - 1))
        }
        return Data(bytes)
    }

    /// A column of a table, and what it holds.
    private struct CellPlace {
        let table: String
        let column: String

        static func all(in path: String) throws -> [CellPlace] {
            let queue = try DatabaseQueue(path: path)
            defer { try? queue.close() }
            return try queue.read { database in
                try Row.fetchAll(
                    database,
                    sql: """
                        SELECT t.name, c.name FROM pragma_table_list AS t, pragma_table_xinfo(t.name) AS c
                        WHERE t.schema = 'main' AND t.type = 'table' AND c.hidden = 0 AND t.name NOT LIKE 'sqlite_%'
                        """
                ).map { CellPlace(table: $0[0], column: $0[1]) }
            }
        }
    }

    private static func damage(
        _ path: String, _ places: [CellPlace], contents: Bool, _ generator: inout SplitMix
    ) throws {
        let queue = try DatabaseQueue(path: path)
        defer { try? queue.close() }
        try queue.writeWithoutTransaction { database in
            try database.execute(
                sql: """
                    PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF;
                    PRAGMA journal_mode = MEMORY
                    """)
            for _ in 0...generator.next(below: 4) {
                // What the rules that remain forbid (types, duplicates) is just not done.
                if contents {
                    try? changeContent(database, &generator)
                    if generator.next(below: 3) > 0 { continue }
                }

                let place = places[generator.next(below: places.count)]
                let row = try Row.fetchOne(
                    database, sql: "SELECT \"\(place.column)\" FROM \"\(place.table)\" LIMIT 1")
                let value: DatabaseValue? = row?[0]
                let mutated = mutated(value ?? .null, &generator)
                let rowCondition = generator.next(below: 2) == 0 ? "" : " WHERE abs(random()) % 2"
                try? database.execute(
                    sql: "UPDATE OR IGNORE \"\(place.table)\" SET \"\(place.column)\" = ?\(rowCondition)",
                    arguments: [mutated])
            }
        }
    }

    private static func mutated(_ value: DatabaseValue, _ generator: inout SplitMix) -> DatabaseValue {
        switch value.storage {
        case .int64(let integer):
            let others: [Int64] = [
                0, 1, -1, 2, .max, .min, 1 << 20, 1 << 28, 1 << 31, 1 << 32, 1 << 40, integer &+ 1, integer &- 1,
                integer ^ 1 << Int64(generator.next(below: 63)),
            ]
            return others[generator.next(below: others.count)].databaseValue
        case .double(let real):
            let others = [
                0, -0.0, .infinity, -.infinity, 1e308, -1e308, Double.leastNonzeroMagnitude, real + 1, -real, 2 * real,
            ]
            return others[generator.next(below: others.count)].databaseValue
        case .string(let text): return mutated(Array(text.utf8), &generator, isText: true)
        case .blob(let bytes): return mutated(Array(bytes), &generator, isText: false)
        case .null:
            let others: [DatabaseValue] = [
                1.databaseValue, Int64.max.databaseValue, 0.5.databaseValue, "x".databaseValue, Data([1]).databaseValue,
            ]
            return others[generator.next(below: others.count)]
        }
    }

    private static func mutated(_ bytes: [UInt8], _ generator: inout SplitMix, isText: Bool) -> DatabaseValue {
        var bytes = bytes
        switch generator.next(below: isText ? 7 : 4) {
        case 0 where !bytes.isEmpty: bytes[generator.next(below: bytes.count)] ^= UInt8(1 << generator.next(below: 8))
        case 1 where !bytes.isEmpty: bytes.removeLast(1 + generator.next(below: bytes.count))
        case 2: bytes += (0...generator.next(below: 300)).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        case 4: bytes = Array("[9223372036854775807,1e400,-1]".utf8)
        case 5: bytes = Array(String(repeating: "[", count: 5000).utf8)
        case 6: bytes = Array("00000099999999999999999999999999999999".utf8)
        default: bytes = []
        }
        return isText ? String(decoding: bytes, as: UTF8.self).databaseValue : Data(bytes).databaseValue
    }

    /// Changes bytes within a frame and makes a sound frame of them.
    private static func changeContent(_ database: Database, _ generator: inout SplitMix) throws {
        let (table, column) = [
            ("document", "token_ids"), ("tensor_chunk", "values"), ("score", "detail"),
        ][generator.next(below: 3)]
        let key = try Row.fetchAll(database, sql: "SELECT \"\(column)\" FROM \(table)")
        guard !key.isEmpty, let frame: Data = key[generator.next(below: key.count)][0] else { return }
        var content = try Zstd.decompress(Array(frame), limit: 1 << 20)
        switch generator.next(below: 4) {
        case 0: content += (0...generator.next(below: 20)).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        case 1: content.removeLast(min(content.count, 1 + generator.next(below: 8)))
        default:
            for _ in 0...generator.next(below: 4) where !content.isEmpty {
                content[generator.next(below: content.count)] = [0, 1, 0x7F, 0x80, 0xFF][generator.next(below: 5)]
            }
        }
        try database.execute(
            sql: "UPDATE \(table) SET \"\(column)\" = ? WHERE \"\(column)\" = ?",
            arguments: [Data(try Zstd.compress(content)), frame])
    }
}
