/// The identity of a catalog: the one row of the table `catalog` and its schema version.
package struct CatalogIdentity: Equatable, Sendable {
    /// Random and fixed at creation; identifies the catalog under any file name.
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
