import GRDB

extension Catalog {
    /// A SHA-256 of what the catalog says, the same for equal inputs, configuration and seed whenever and wherever they
    /// were run.
    ///
    /// It leaves out times, hosts, software versions, random identifiers, timings, and runs that did not complete. Rows
    /// are named by what they are instead of by their numbers, and blobs are taken uncompressed.
    ///
    /// - Returns: Lower-case hexadecimal.
    /// - Throws: ``CatalogError`` `.damaged` if a blob does not hold.
    public func contentDigest() throws(CatalogError) -> String {
        try read { database in
            var stream = CanonicalStream()
            for section in ContentDigestSection.all {
                stream.begin(section.name)
                let rows = try Row.fetchCursor(database, sql: section.sql)
                while let row = try rows.next() {
                    stream.beginRow()
                    for (index, value) in row.databaseValues.enumerated() {
                        if index == section.frameColumn, case .blob(let frame) = value.storage {
                            let content = try blob(section.name) { () throws(Zstd.Failure) in
                                try Zstd.decompress(Array(frame), limit: section.limit)
                            }
                            stream.add(.blob(content))
                        } else {
                            stream.add(CatalogValue(value))
                        }
                    }
                }
            }
            return stream.digest()
        }
    }
}
