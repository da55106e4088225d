import FeatureCatalog
import Foundation
import GRDB
import Synchronization
import TestSupport
import Testing

/// Every byte of a small catalog, changed: what comes of it is an error, a problem that verification finds, or what the
/// catalog said before. What can go unnoticed is listed here, column by column.
///
/// A page's bytes that belong to no cell are changed together, for nothing in the file refers to them; with
/// `ROUTESAE_FLIPS=all`, which takes some minutes, they too are changed one by one.
@Suite struct ByteFlipTests {
    /// Columns whose values nothing else in the file repeats or follows from: a changed one is another value, and only
    /// whoever has the content digest can tell. Everything else is noticed.
    static let plainColumns = Set(
        """
        dictionary.activation_threshold dictionary.d_model dictionary.n_tokens_trained dictionary.relative_threshold
        document.sha256 document.title evaluation.n_tokens evaluation.value exchange.completion_tokens exchange.llm
        exchange.prompt_tokens explanation.text feature.histogram
        feature.min_activation feature.p10 feature.p90 feature.p99 feature.std_activation feature.sum_activation
        feature.sum_square feature_cofiring.share feature_context.router_weight feature_layer.max_activation
        feature_layer.mean_router_weight feature_layer.sum_activation feature_layer.sum_router_weight feature_logit.value
        feature_neighbor.cosine feature_token.activation_1 feature_token.activation_2 feature_token.n_fired
        indexing.mean_layer_entropy indexing.window intervention.kl intervention.prompt intervention.strength intervention.text
        language_model.architecture language_model.d_model language_model.n_layers language_model.tokenizer_sha256
        language_model.vocab_size layer_routing.mean_router_weight layer_routing.n_tokens passage.text review.note review.verdict run.config
        run.seed run_input.bytes run_input.name run_input.role run_input.sha256 run_metric.name run_metric.value score.n_tokens
        token.text
        """.split { $0 == " " || $0 == "\n" }.map(String.init))

    @Test func everyByte() async throws {
        let directory = try MemoryDirectory()
        let path = try TinyCatalog.make(at: directory.file("start"))
        try Self.makeSmall(path)
        let whole = try Array(Data(contentsOf: URL(filePath: path)))
        let original = try Catalog.open(at: path, mode: .readOnly)
        let digest = try original.contentDigest()
        let contents = try Contents(of: path)
        #expect(try original.verify() == [])

        let isThorough = ProcessInfo.processInfo.environment["ROUTESAE_FLIPS"] == "all"
        let stretches = isThorough ? whole.indices.map { $0..<$0 + 1 } : Self.stretches(of: whole)
        #expect(stretches.reduce(0) { $0 + $1.count } == whole.count)
        let counts = Mutex(Counts())
        try await Parallel.forEach(0..<stretches.count) { number, worker in
            let place = stretches[number].lowerBound
            var generator = SplitMix(state: UInt64(place))
            var bytes = whole
            for index in stretches[number] { bytes[index] ^= UInt8(1 + generator.next(below: 255)) }
            let path = directory.file("flipped-\(worker)")
            try Data(bytes).write(to: URL(filePath: path))
            let begin = ProcessorTime.ofThisThread
            let outcome = Self.look(at: path, digest)
            let taken = ProcessorTime.ofThisThread - begin
            #expect(taken < .seconds(10), "byte \(place)")
            #expect(try Array(Data(contentsOf: URL(filePath: path))) == bytes, "byte \(place): written to")
            let columns = outcome == .unnoticed ? try contents.differences(from: Contents(of: path)) : []
            counts.withLock { counts in
                counts.outcomes[outcome.rawValue, default: 0] += 1
                counts.durations[outcome.rawValue, default: .zero] += taken
                for column in columns { counts.columns[column, default: 0] += 1 }
            }
        }
        let found = counts.withLock { $0 }
        #expect(Set(found.columns.keys).isSubset(of: Self.plainColumns), "\(found.columns)")
        #expect(
            found.outcomes["refused", default: 0] > whole.count / 10 && found.outcomes["noticed", default: 0] > 1000)
        FaultInjectionTests.report(
            """
            flips: \(whole.count) bytes in \(stretches.count) inputs, \(found.outcomes), \(found.durations); unnoticed in
            \(found.columns.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
            """)
    }

    /// The smallest pages there are: the fewer bytes, the fewer of them lie idle.
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

    /// What comes of a flip.
    private enum Outcome: String {
        case refused, noticed, unchanged, unnoticed
    }

    private struct Counts {
        var outcomes: [String: Int] = [:]
        var durations: [String: Duration] = [:]
        var columns: [String: Int] = [:]
    }

    private static func look(at path: String, _ digest: String) -> Outcome {
        guard let catalog = try? Catalog.open(at: path, mode: .readOnly) else { return .refused }
        defer { _ = try? catalog.close() }
        guard let found = try? catalog.contentDigest() else { return .noticed }
        if found == digest { return .unchanged }
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
                let names = try String.fetchAll(
                    database,
                    sql: """
                        SELECT name FROM pragma_table_list
                        WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'
                        """)
                for name in names {
                    let rows = try Row.fetchAll(database, sql: "SELECT * FROM \"\(name)\"")
                    tables[name] = Table(
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
