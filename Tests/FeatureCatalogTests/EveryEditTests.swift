import FeatureCatalog
import Foundation
import GRDB
import TestSupport
import Testing

/// Changes by other programs: every value of every table is covered.
@Suite struct EveryEditTests {
    private let directory: TemporaryDirectory
    private let path: String
    private let whole: Data

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.file("c.sqlite")
        try FrozenCatalog.five.bytes().write(to: URL(filePath: path))
        try Catalog.migrate(at: path)
        try Self.fillYoungTables(of: path)
        whole = try Data(contentsOf: URL(filePath: path))
    }

    /// Gives the tables that are younger than the file a row each, which contradicts nothing.
    private static func fillYoungTables(of path: String) throws {
        let catalog = try Catalog.open(at: path, mode: .readWrite)
        func first(_ sql: String) throws -> [CatalogValue] { try #require(try catalog.rows(sql: sql).rows.first) }
        let feature = try first(
            """
            SELECT dictionary_id, feature_index, corpus_id, n_fired, ifnull(min_activation, max_activation), max_activation
            FROM feature WHERE n_fired > 1 ORDER BY dictionary_id, feature_index
            """)
        let ends = try first(
            """
            SELECT s.dictionary_id, s.feature_index, 0, 9, s.value, p.value
            FROM feature_logit AS s JOIN feature_logit AS p USING (dictionary_id, feature_index, rank)
            WHERE s.direction = 'suppressed' AND p.direction = 'promoted' AND rank = 0
            """)
        for (row, table, isOfText) in [
            (feature, "feature_linear_histogram", true), (ends, "feature_logit_histogram", false),
        ] {
            guard case .real(let least) = row[4], case .real(let most) = row[5] else { continue }
            let count = try #require(row[3].wholeNumber)
            let histogram = try #require(narrowest(from: least, through: most, count: count))
            let keys = (isOfText ? [0, 1, 2] : [0, 1]).map { "\(row[$0].wholeNumber ?? 0)" }.joined(separator: ", ")
            try catalog.execute(
                sql: """
                    INSERT INTO \(table) VALUES (\(keys), \(histogram.binWidth), \(histogram.firstBin), '\(histogram.counts)')
                    """)
        }
        #expect(try catalog.verify() == [])
        try catalog.close()
    }

    /// All values but one in the bin of the smallest, one in that of the largest, the bins as narrow as may be.
    private static func narrowest(from least: Double, through most: Double, count: Int) -> LinearHistogram? {
        for exponent in LinearHistogram.exponents {
            let width = Double(sign: .plus, exponent: exponent, significand: 1)
            let (first, last) = (Int((least / width).rounded(.down)), Int((most / width).rounded(.down)))
            guard first >= -LinearHistogram.reach, last < LinearHistogram.reach else { continue }
            return LinearHistogram(
                exponent: exponent, firstBin: first,
                counts: first == last
                    ? [count] : [count - 1] + Array(repeating: 0, count: last - first - 1) + [1])
        }
        return nil
    }

    /// A plain connection, which looks after no constraint.
    private func edit(_ sql: String, at path: String) throws -> Int {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        defer { try? queue.close() }
        return try queue.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA ignore_check_constraints = ON")
            try database.execute(sql: sql)
            return database.totalChangesCount
        }
    }

    private func columns() throws -> [(table: String, column: String, type: String, isKey: Bool)] {
        let queue = try DatabaseQueue(path: path)
        defer { try? queue.close() }
        return try queue.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT t.name, c.name, c.type, c.pk > 0 FROM pragma_table_list AS t, pragma_table_xinfo(t.name) AS c
                    WHERE t.schema = 'main' AND t.type IN ('table', 'shadow') AND t.name NOT LIKE 'sqlite%'
                    """
            ).map { ($0[0], $0[1], $0[2], $0[3]) }
        }
    }

    @Test("An edit of any column is noticed") func everyColumnOfEveryTable() async throws {
        let columns = try columns()
        #expect(columns.count > 230 && Set(columns.map(\.table)).count >= 36)
        let keys = Dictionary(grouping: columns.filter(\.isKey), by: \.table).mapValues { $0.map(\.column) }
        try await Parallel.forEach(0..<columns.count) { number, worker in
            let (table, column, type, _) = columns[number]
            let path = directory.file("edited-\(worker).sqlite")
            try whole.write(to: URL(filePath: path))
            let value =
                switch type {
                case "INTEGER": "ifnull(\"\(column)\", 0) + 1000000007"
                case "REAL": "ifnull(\"\(column)\", 0) + 1e-9"
                case "BLOB": "CAST(ifnull(\"\(column)\", x'') || x'01' AS BLOB)"
                default: "ifnull(\"\(column)\", '') || ' '"
                }
            // One row, whatever its key: all of the key's columns together name it.
            let key = keys[table] ?? []
            let names = key.map { "\"\($0)\"" }.joined(separator: ", ")
            let count = try edit(
                """
                UPDATE "\(table)" SET "\(column)" = \(value)
                WHERE (\(names)) = (SELECT \(names) FROM "\(table)" ORDER BY \(names) DESC LIMIT 1)
                """, at: path)
            #expect(count > 0, "\(table).\(column)")
            do {
                let catalog = try Catalog.open(at: path, mode: .readOnly)
                #expect(try !catalog.verify().isEmpty, "\(table).\(column)")
            } catch let error as CatalogError {
                #expect(error.code == .damaged || error.code == .notACatalog, "\(table).\(column): \(error)")
            }
        }
    }

    @Test(
        "Added and removed rows are noticed",
        arguments: [
            "DELETE FROM feature_neighbor WHERE feature_index = 3 AND rank = 2",
            "INSERT INTO feature_neighbor VALUES (1, 3, 400, 4, 0.5)",
            "DELETE FROM review",
            "INSERT INTO corpus (name, language_model_id, sha256) VALUES ('x', 1, printf('%064d', 1))",
            "DELETE FROM table_digest WHERE table_name = 'feature'",
            "INSERT INTO table_digest VALUES ('feature', 'dictionary_id = 9 AND corpus_id = 1', 3, printf('%064d', 1))",
            "UPDATE table_digest SET n_rows = n_rows + 1 WHERE table_name = 'token'",
            "UPDATE table_digest SET digest = printf('%064d', 0) WHERE table_name = 'token'",
            // Two rows that have changed places.
            """
            UPDATE feature_neighbor SET cosine = (
                SELECT o.cosine FROM feature_neighbor AS o WHERE o.dictionary_id = feature_neighbor.dictionary_id
                    AND o.feature_index = feature_neighbor.feature_index AND o.rank = 1 - feature_neighbor.rank)
            WHERE dictionary_id = 1 AND feature_index = 3 AND rank < 2
            """,
            """
            INSERT INTO passage_text (passage_text, rowid, text)
            VALUES ('delete', 1, (SELECT text FROM passage WHERE passage_id = 1))
            """,
        ])
    func rowsThatComeAndGo(sql: String) throws {
        #expect(try Catalog.open(at: path, mode: .readOnly).verify() == [])
        #expect(try edit(sql, at: path) > 0)
        #expect(try !Catalog.open(at: path, mode: .readOnly).verify().isEmpty, "\(sql)")
    }

    @Test("The library's own edits verify; edits by others stay reported")
    func whatWeChangeIsNoProblemAndWhatOthersChangedStaysOne() throws {
        let catalog = try Catalog.open(at: path, mode: .readWrite)
        _ = try catalog.addCorpus(
            CorpusRecord(languageModelID: 1, name: "new", sha256: String(repeating: "0", count: 64)))
        #expect(try catalog.verify() == [])
        // A transaction that fails, within one that does not.
        struct Stop: Error {}
        let run = try catalog.beginRun(kind: .score, config: "{}", seed: nil)
        do {
            try catalog.snapshot {
                try catalog.recordMetrics(runID: run, [RunMetric(step: 0, name: "a", value: 1)])
                throw Stop()
            }
        } catch is Stop {}
        try catalog.finishRun(run, status: .failed, error: "x")
        #expect(try catalog.verify() == [])
        try catalog.close()
        #expect(try edit("UPDATE corpus SET source = 'x' WHERE corpus_id = 1", at: path) > 0)
        let again = try Catalog.open(at: path, mode: .readWrite)
        _ = try again.addCorpus(
            CorpusRecord(languageModelID: 1, name: "newer", sha256: String(repeating: "0", count: 64)))
        #expect(try again.verify().map(\.place) == ["corpus"])
    }

    @Test("The digest equals its documented form") func theDigestIsAsDocumented() throws {
        // SHA-256 of the table's name, a zero, and the values: worked out here from the description alone.
        let queue = try DatabaseQueue(path: path)
        defer { try? queue.close() }
        let (rows, kept) = try queue.read { database in
            (
                try Row.fetchAll(database, sql: "SELECT * FROM review"),
                try Row.fetchOne(
                    database, sql: "SELECT part, n_rows, digest FROM table_digest WHERE table_name = 'review'")
            )
        }

        var sum = [UInt8](repeating: 0, count: 32)
        for row in rows {
            var bytes = Array("review".utf8) + [0]
            for value in row.databaseValues {
                func number(_ bits: UInt64) { withUnsafeBytes(of: bits.littleEndian) { bytes += $0 } }
                switch value.storage {
                case .null: bytes.append(0)
                case .int64(let integer):
                    bytes.append(1)
                    number(UInt64(bitPattern: integer))
                case .double(let real):
                    bytes.append(2)
                    number(real.bitPattern)
                case .string(let text):
                    bytes.append(3)
                    number(UInt64(text.utf8.count))
                    bytes += Array(text.utf8)
                case .blob(let blob):
                    bytes.append(4)
                    number(UInt64(blob.count))
                    bytes += Array(blob)
                }
            }

            var digest = SHA256Digest()
            digest.update(bytes)
            let digits = Array(digest.hexadecimal())
            var carry = 0
            for index in 0..<32 {
                let byte = try #require(Int(String(digits[2 * index...2 * index + 1]), radix: 16))
                carry += Int(sum[index]) + byte
                sum[index] = UInt8(carry & 255)
                carry >>= 8
            }
        }

        let hexadecimal = sum.reversed().map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
        #expect(kept?[0] == "dictionary_id = 1" && kept?[1] == rows.count && kept?[2] == hexadecimal)
    }
}
