/// The numbers that make a SQLite file a catalog.
enum CatalogFormat {
    /// `application_id`: "RSAE".
    static let applicationID: UInt32 = 0x5253_4145

    /// Bytes per page of a new catalog. Feature rows are some 400 bytes, and tables without rowid pack them better
    /// into larger pages.
    static let pageSize = 8192

    /// How long to wait for another writer, seconds.
    static let busyTimeout = 5.0
}
