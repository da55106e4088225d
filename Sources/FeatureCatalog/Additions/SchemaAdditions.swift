import CatalogMigrations
import GRDB

/// The additions of a catalog's schema, after checking that none of them takes part in operations on the
/// catalog's own tables.
struct SchemaAdditions {
    private(set) var all: [SchemaAddition] = []

    private let database: Database
    private let path: String
    /// Tables and views of the catalog, in lower case, as SQLite's names know no case.
    private let ours: Set<String>

    /// - Parameters:
    ///   - entries: Schema entries not made by the migrations.
    ///   - expected: Those made by the migrations.
    ///   - version: Of the schema; names used by later versions are reserved.
    /// - Throws: `CatalogError` `.refused` if any of it would run when the catalog is read or written.
    init(
        _ entries: [SchemaEntry], expected: [SchemaEntry], version: Int, _ database: Database, path: String
    ) throws {
        self.database = database
        self.path = path
        ours = Self.names(expected.filter { $0.type != "index" && $0.type != "trigger" })
        let taken = Self.names(expected.filter { $0.type != "trigger" })
        let later =
            version == Migrations.latest
            ? [] : Self.names(try SchemaEntry.expected(version: Migrations.latest).filter { $0.type != "trigger" })
        let modules = Set(
            try Row.fetchAll(database, sql: "PRAGMA module_list").map { (try $0.value(0) as String).lowercased() })
        // Names first, for what follows asks SQLite's own tables, which others' might stand before.
        for entry in entries where entry.type != "trigger" && !entry.isAutomaticIndex {
            try checkName(entry, taken: taken, later: later, modules: modules)
        }

        let shadows = Set(entries.filter(\.isVirtualTable).flatMap(\.shadowTables))
        for entry in entries where !entry.isAutomaticIndex || isOurs(entry.table) {
            guard !entry.isSequenceTable else { continue }
            let kind: SchemaAddition.Kind
            switch entry.type {
            case "table" where entry.isVirtualTable: kind = .virtualTable
            case "table": kind = shadows.contains(entry.name.lowercased()) ? .shadowTable : .table
            case "view": kind = .view
            case "index":
                if isOurs(entry.table) { try checkIndex(entry) }
                kind = .index
            case "trigger":
                guard !isOurs(entry.table), entries.contains(where: { $0.isNamed(entry.table) }) else {
                    throw SchemaCheck.refusal(
                        path, "unexpected trigger \"\(entry.name)\" on \(entry.table): it would run here")
                }
                kind = .trigger
            default: throw SchemaCheck.refusal(path, "unexpected \(entry.type) \"\(entry.name)\"")
            }
            all.append(SchemaAddition(kind: kind, name: entry.name, table: entry.table, sql: entry.sql))
        }
    }

    /// Checks that no added table refers to one of the catalog's: writing or deleting there would change
    /// added tables, run their triggers, or fail because of them.
    ///
    /// - Throws: `CatalogError` `.refused`.
    func checkForWriting() throws {
        for table in all where table.kind == .table {
            for key in try foreignKeys(of: table) where isOurs(key.parent) {
                throw CatalogError(
                    .refused,
                    "\(path): not opened for writing: FOREIGN KEY (\(key.column)) REFERENCES \(key.parent) of the added "
                        + "table \"\(table.name)\" would take part in it; drop that table or make it without the key "
                        + "(reading works as it is)")
            }
        }
    }

    /// The foreign keys of a table, a column at a time.
    func foreignKeys(of table: SchemaAddition) throws -> [(column: String, parent: String)] {
        try Row.fetchAll(
            database, sql: "SELECT \"from\", \"table\" FROM pragma_foreign_key_list(?)", arguments: [table.name]
        ).map { (try $0.value(0), try $0.value(1)) }
    }

    /// Whether a table or view is the catalog's own.
    func isOurs(_ name: String) -> Bool { ours.contains(name.lowercased()) }

    private static func names(_ entries: [SchemaEntry]) -> Set<String> { Set(entries.map { $0.name.lowercased() }) }

    private func checkName(
        _ entry: SchemaEntry, taken: Set<String>, later: Set<String>, modules: Set<String>
    ) throws {
        let name = entry.name.lowercased()
        let quoted = "\(entry.type) \"\(entry.name)\""
        guard !taken.contains(name) else { throw SchemaCheck.refusal(path, "unexpected \(quoted)") }
        guard !later.contains(name) else {
            throw SchemaCheck.refusal(path, "unexpected \(quoted): a newer schema uses the name; rename it")
        }
        guard entry.type != "index", !entry.isSequenceTable else { return }
        guard !modules.contains(name), !name.hasPrefix("pragma_"), !name.hasPrefix("sqlite_") else {
            throw SchemaCheck.refusal(path, "unexpected \(quoted): SQLite has a table of its own by that name")
        }
        guard !SchemaEntry.textIndexTables.contains(name) else {
            throw SchemaCheck.refusal(path, "unexpected \(quoted): the name belongs to a full-text index")
        }
    }

    /// Checks an index on a catalog table, which every write updates: it may contain no expressions,
    /// no unique constraint and only SQLite's own collations.
    private func checkIndex(_ entry: SchemaEntry) throws {
        let quoted = "unexpected index \"\(entry.name)\" on \(entry.table)"
        let row = try Row.fetchOne(
            database, sql: "SELECT \"unique\", partial FROM pragma_index_list(?) WHERE name = ?",
            arguments: [entry.table, entry.name])
        guard let row, try !row.value(0), !entry.isAutomaticIndex else {
            throw SchemaCheck.refusal(path, "\(quoted): a unique index would keep rows from being written")
        }
        guard try !row.value(1) else {
            throw SchemaCheck.refusal(path, "\(quoted): its condition would be worked out here")
        }

        let columns = try Row.fetchAll(
            database, sql: "SELECT cid, coll FROM pragma_index_xinfo(?)", arguments: [entry.name])
        for column in columns {
            guard try column.value(0) as Int > -2 else {
                throw SchemaCheck.refusal(path, "\(quoted): its expressions would be worked out here")
            }

            let collation: String? = try column.value(1)
            guard ["BINARY", "NOCASE", "RTRIM"].contains(collation?.uppercased() ?? "BINARY") else {
                throw SchemaCheck.refusal(path, "\(quoted): the collation \(collation ?? "") is not SQLite's own")
            }
        }
    }
}

extension SchemaEntry {
    fileprivate var isAutomaticIndex: Bool { type == "index" && sql.isEmpty }

    fileprivate func isNamed(_ other: String) -> Bool {
        type != "index" && type != "trigger" && name.lowercased() == other.lowercased()
    }

    fileprivate var isVirtualTable: Bool {
        type == "table" && sql.prefix(14).uppercased() == "CREATE VIRTUAL"
    }

    /// Names that the tables of a full-text index or an R-tree have, in lower case.
    fileprivate var shadowTables: [String] {
        [
            "content", "data", "idx", "docsize", "config", "segments", "segdir", "stat", "node", "parent", "rowid",
        ].map { name.lowercased() + "_" + $0 }
    }

    /// Whether the table is SQLite's own `sqlite_sequence` for AUTOINCREMENT.
    fileprivate var isSequenceTable: Bool {
        type == "table" && name == "sqlite_sequence" && sql == "CREATE TABLE sqlite_sequence(name,seq)"
    }
}
