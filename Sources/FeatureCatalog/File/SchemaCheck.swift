import CatalogMigrations
import GRDB

/// Compares a file's schema with the one its version's migrations make, so that no SQL brought by a file from
/// elsewhere ever runs. Additions are left alone.
enum SchemaCheck {
    /// - Returns: The additions; nil without any.
    /// - Throws: `CatalogError` `.tooNew`, `.tooOld` (unless `allowingOlder`) or `.refused`.
    @discardableResult
    static func run(_ database: Database, path: String, allowingOlder: Bool) throws -> SchemaAdditions? {
        let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard version <= Migrations.latest else {
            throw CatalogError(
                .tooNew,
                "\(path): schema \(version), newer than \(Migrations.latest), the newest that this version knows")
        }
        guard version >= 1 else { throw CatalogError(.notACatalog, "\(path): a catalog without a schema") }
        guard version == Migrations.latest || allowingOlder else {
            throw CatalogError(.tooOld, "\(path): schema \(version) of \(Migrations.latest); migrate it first")
        }

        let entries = try SchemaEntry.all(database).filter { !$0.isStatisticsTable }
        // Creating the expected schema takes longer than most queries, so the digest is compared first.
        if version == Migrations.latest, SchemaEntry.digest(entries) == SchemaEntry.latestDigest { return nil }
        let models = try SchemaEntry.expected(version: version)
        let expected = Dictionary(models.map { (Key($0), $0) }, uniquingKeysWith: { first, _ in first })
        var missing = Set(expected.keys)
        var others: [SchemaEntry] = []
        for entry in entries {
            guard let model = expected[Key(entry)] else {
                others.append(entry)
                continue
            }
            guard model.table == entry.table, model.sql == entry.sql || entry.isShadowTable else {
                throw refusal(path, "\(entry.type) \"\(entry.name)\" differs from the one of migration \(version)")
            }
            missing.remove(Key(entry))
        }

        let additions = try SchemaAdditions(others, expected: models, version: version, database, path: path)
        if let key = missing.min(by: { $0.name < $1.name }) {
            throw refusal(path, "\(key.type) \"\(key.name)\" is missing")
        }
        return additions.all.isEmpty ? nil : additions
    }

    private struct Key: Hashable {
        let type: String
        let name: String

        init(_ entry: SchemaEntry) {
            type = entry.type
            name = entry.name
        }
    }

    static func refusal(_ path: String, _ reason: String) -> CatalogError {
        CatalogError(.refused, "\(path): not opened, its schema has been changed: \(reason)")
    }
}
