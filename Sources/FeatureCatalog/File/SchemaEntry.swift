import CatalogMigrations
import GRDB
import Synchronization

/// One row of `sqlite_schema`.
struct SchemaEntry: Hashable {
    let type: String
    let name: String
    let table: String
    let sql: String

    /// Whether the table belongs to a full-text index and is as SQLite makes it; quoting differs between versions.
    var isShadowTable: Bool {
        guard type == "table", table == name,
            let prefix = Self.textIndexPrefixes.first(where: name.hasPrefix),
            let columns = Self.shadowColumns[String(name.dropFirst(prefix.count))]
        else { return false }
        return Self.words(sql) == Self.words("CREATE TABLE \(name)\(columns)")
    }

    /// Whether the table holds the planner's statistics as SQLite makes it; any SQLite tool may have added it.
    var isStatisticsTable: Bool {
        guard type == "table", table == name, let columns = Self.statisticsColumns[name] else { return false }
        return Self.words(sql) == Self.words("CREATE TABLE \(name)\(columns)")
    }

    /// Names of the tables of full-text indexes.
    static let textIndexTables = Set(
        textIndexPrefixes.flatMap { prefix in (shadowColumns.keys + ["content"]).map { prefix + $0 } })

    private static let textIndexPrefixes = ["context_text_", "passage_text_", "explanation_text_"]

    private static let shadowColumns = [
        "data": "(id INTEGER PRIMARY KEY, block BLOB)",
        "idx": "(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID",
        "docsize": "(id INTEGER PRIMARY KEY, sz BLOB)",
        "config": "(k PRIMARY KEY, v) WITHOUT ROWID",
    ]

    private static let statisticsColumns = [
        "sqlite_stat1": "(tbl,idx,stat)", "sqlite_stat4": "(tbl,idx,neq,nlt,ndlt,sample)",
    ]

    /// A statement without quotes and spaces.
    private static func words(_ sql: String) -> [UInt8] {
        sql.utf8.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "'") && $0 != UInt8(ascii: "\"") }
    }

    /// The whole schema of a database, in the order of creation.
    static func all(_ database: Database) throws -> [SchemaEntry] {
        try Row.fetchAll(database, sql: "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid").map {
            try SchemaEntry(type: $0.value(0), name: $0.value(1), table: $0.value(2), sql: $0.value(3) ?? "")
        }
    }

    /// The expected schema after migration `version`, made in memory.
    static func expected(version: Int) throws -> [SchemaEntry] {
        if let known = cache.withLock({ $0[version] }) { return known }
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        let entries = try DatabaseQueue(configuration: configuration).writeWithoutTransaction { database in
            FormerActivationsFunction(path: "").install(in: database)
            for migration in Migrations.all.prefix(version) { try database.execute(sql: migration.sql) }
            return try all(database)
        }
        cache.withLock { $0[version] = entries }
        return entries
    }

    /// The entries made by migrations, without additions.
    static func own(_ database: Database) throws -> [SchemaEntry] {
        let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        let names = Set(try expected(version: min(max(version, 0), Migrations.latest)).map { [$0.type, $0.name] })
        return try all(database).filter { names.contains([$0.type, $0.name]) }
    }

    /// ``digest(_:)`` of the schema after the last migration; checked by a test.
    static let latestDigest = "24511dadc760090b4ea494fe20fee1339aa5f0dca8276c986d62ae67e841d280"

    /// SHA-256 of a schema in any order; of a shadow table only the name counts.
    static func digest(_ entries: [SchemaEntry]) -> String {
        var bytes: [UInt8] = []
        for entry in entries.sorted(by: { ($0.type, $0.name) < ($1.type, $1.name) }) {
            // No part contains a zero byte, so parts cannot be confused.
            let parts = [entry.type, entry.name, entry.table, entry.isShadowTable ? "" : entry.sql]
            for part in parts {
                bytes += part.utf8
                bytes.append(0)
            }
        }
        var digest = SHA256Digest()
        digest.update(bytes)
        return digest.hexadecimal()
    }

    private static let cache = Mutex<[Int: [SchemaEntry]]>([:])
}

extension Catalog {
    /// The stored digest of the newest schema, and the one the migrations give; a test compares them.
    package static func schemaDigests() throws -> (kept: String, made: String) {
        (SchemaEntry.latestDigest, SchemaEntry.digest(try SchemaEntry.expected(version: Migrations.latest)))
    }
}
