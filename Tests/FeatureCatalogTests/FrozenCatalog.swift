import FeatureCatalog
import Foundation
import GRDB
import TestSupport
import Testing

/// A populated catalog of an earlier schema, frozen when that was the newest.
enum FrozenCatalog: Int {
    case one = 1
    /// Two dictionaries and three corpora, with everything that the verbs of its time write.
    case five = 5
    /// The same, migrated when 6 was the newest: before dictionaries said what they do to their input.
    case six = 6
    /// The same, migrated when 7 was the newest, and two dictionaries imported from SAELens: before equal bins.
    case seven = 7

    /// Its file.
    func bytes() throws -> Data {
        let frame = try Data(contentsOf: URL(filePath: fixture("catalogs/version-\(rawValue).sqlite.zst")))
        return Data(try Zstd.decompress(Array(frame), limit: 1 << 24))
    }
}

/// A frozen catalog twice: as it was, and a copy to migrate.
struct ThawedCatalog {
    private let directory: TemporaryDirectory
    let old: String
    let path: String

    init(_ frozen: FrozenCatalog) throws {
        directory = try TemporaryDirectory()
        old = directory.file("old.sqlite")
        path = directory.file("c.sqlite")
        let bytes = try frozen.bytes()
        for file in [old, path] { try bytes.write(to: URL(filePath: file)) }
    }

    /// The rows of a statement on one of the two.
    func rows(_ file: String, _ sql: String) throws -> [Row] {
        let queue = try DatabaseQueue(path: file)
        defer { try? queue.close() }
        return try queue.read { try Row.fetchAll($0, sql: sql) }
    }

    /// Expects every row of every table and view of the old one in the migrated one.
    func expectEveryRow() throws {
        let names = try rows(
            old,
            """
            SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'view')
                AND name NOT LIKE 'sqlite%' AND name <> 'table_digest'
            """
        ).map { $0[0] as String }
        #expect(names.count > 30)
        for name in names {
            let columns = try rows(old, "SELECT name FROM pragma_table_info('\(name)')")
                .map { "\"\($0[0] as String)\"" }.joined(separator: ", ")
            let sql = "SELECT \(columns) FROM \(name) ORDER BY \(columns)"
            let (before, after) = (try rows(old, sql), try rows(path, sql))
            #expect(before.map { Array($0.databaseValues) } == after.map { Array($0.databaseValues) }, "\(name)")
        }
    }

    /// Changes the copy, as another program may, without foreign keys.
    func execute(_ sql: String) throws {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.writeWithoutTransaction { database in
            try database.execute(sql: sql)
            #expect(database.totalChangesCount > 0)
        }
        try queue.close()
    }
}
