import ArgumentParser
import FeatureCatalog
import TerminalOutput

struct MigrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "migrate",
        abstract: "Upgrade a catalog of an earlier version to the current schema, keeping its data.",
        discussion: """
            Every step is one transaction: a catalog whose migration is killed opens as it was, or with the steps that \
            were done, and migrating goes on from there. A catalog that is up to date stays as it is, except that what \
            a writer left in a -wal file beside it is moved into it.

            Examples:
              routesae migrate old.sqlite
            """)

    @OptionGroup var catalog: CatalogArgument

    func run() throws {
        let before = try Catalog.migrate(at: catalog.catalog, patience: CatalogFile.patience) {
            StandardStreams.remark("migrating: \($0)")
        }

        let identity = try catalog.read { try $0.identity() }
        StandardStreams.write(
            VisibleText.of(
                before == identity.schemaVersion
                    ? "\(catalog.catalog) is up to date: schema \(before)"
                    : "\(catalog.catalog): schema \(before) is now \(identity.schemaVersion)") + "\n")
    }
}
