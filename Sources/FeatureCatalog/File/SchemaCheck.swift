import CatalogMigrations
import GRDB

/// Compares a file's schema with what the migration it claims makes, so that nothing that a file from elsewhere brings
/// along is ever run. What others added beside it is left alone.
enum SchemaCheck {
    /// - Returns: What others added; nil if nothing was.
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
        // Making the schema afresh takes longer than most queries; what differs is looked for only where one does.
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
