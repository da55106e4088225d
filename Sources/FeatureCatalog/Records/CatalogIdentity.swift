/// Who a catalog is: the one row of the table `catalog` and the number of its schema.
package struct CatalogIdentity: Equatable, Sendable {
    /// Random and fixed at creation; tells two catalogs apart whatever their files are called.
    package let uuid: String

    /// When the file was created, UTC, ISO 8601.
    package let createdAt: String

    /// The software and version that created the file.
    package let createdBy: String

    /// The number of the last migration applied (`user_version`).
    package let schemaVersion: Int

    /// Describes a catalog.
    package init(uuid: String, createdAt: String, createdBy: String, schemaVersion: Int) {
        self.uuid = uuid
        self.createdAt = createdAt
        self.createdBy = createdBy
        self.schemaVersion = schemaVersion
    }
}
