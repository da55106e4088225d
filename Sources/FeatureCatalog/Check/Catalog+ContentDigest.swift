import GRDB

extension Catalog {
    /// SHA-256 of the catalog's contents, the same for equal inputs, configuration and seed whenever and wherever they
    /// were run.
    ///
    /// It leaves out times, hosts, software versions, random identifiers, timings, and runs that did not complete. Rows
    /// are identified by content instead of keys, and blobs are hashed uncompressed.
    ///
    /// - Returns: Lower-case hexadecimal.
    /// - Throws: ``CatalogError`` `.damaged` if a blob is damaged.
    package func contentDigest() throws(CatalogError) -> String {
        try read { database in
            var stream = CanonicalStream()
            for section in ContentDigestSection.all { try add(section, to: &stream, database) }
            return stream.digest()
        }
    }

    /// SHA-256 of the catalog's contents, table by table, with the omissions of ``contentDigest()``.
    ///
    /// - Returns: The table's name and lower-case hexadecimal.
    /// - Throws: ``CatalogError`` `.damaged` if a blob is damaged.
    package func contentDigests() throws(CatalogError) -> [(table: String, sha256: String)] {
        try read { database in
            try ContentDigestSection.all.map { section in
                var stream = CanonicalStream()
                try add(section, to: &stream, database)
                return (section.name, stream.digest())
            }
        }
    }

    /// SHA-256 of one index's rows, table by table: equal for equal indexes in different catalogs.
    ///
    /// - Returns: The table's name and lower-case hexadecimal.
    /// - Throws: ``CatalogError`` `.damaged` if a blob is damaged.
    package func contentDigests(of key: IndexingKey) throws(CatalogError) -> [(table: String, sha256: String)] {
        try read { database in
            let condition = "i.dictionary_id = \(key.dictionaryID) AND i.corpus_id = \(key.corpusID)"
            return try ContentDigestSection.index(where: condition).map { section in
                var stream = CanonicalStream()
                try add(section, to: &stream, database)
                return (section.name, stream.digest())
            }
        }
    }

    /// SHA-256 of one run's rows, table by table: equal for equal results in different catalogs. Timings are left
    /// out.
    ///
    /// - Returns: The table's name, the number of rows and lower-case hexadecimal.
    /// - Throws: ``CatalogError`` `.damaged` if a blob is damaged.
    package func contentDigests(
        ofRun runID: Int64
    ) throws(CatalogError) -> [(table: String, rowCount: Int, sha256: String)] {
        try read { database in
            try ContentDigestSection.run(runID).map { section in
                var stream = CanonicalStream()
                let count = try add(section, to: &stream, database)
                return (section.name, count, stream.digest())
            }
        }
    }

    /// The dictionary and the corpus that a run evaluated; nil if it wrote no figures.
    package func evaluatedCorpus(runID: Int64) throws(CatalogError) -> IndexingKey? {
        try read { database in
            try Row.fetchOne(
                database,
                sql:
                    "SELECT dictionary_id, corpus_id FROM evaluation WHERE run_id = ? AND corpus_id IS NOT NULL LIMIT 1",
                arguments: [runID]
            ).map { try IndexingKey(dictionaryID: $0.value(0), corpusID: $0.value(1)) }
        }
    }

    /// The index whose features a run scored; nil if it scored none.
    package func scoredIndex(runID: Int64) throws(CatalogError) -> IndexingKey? {
        try read { database in
            try Row.fetchOne(
                database, sql: "SELECT dictionary_id, corpus_id FROM score WHERE run_id = ? LIMIT 1",
                arguments: [runID]
            ).map { try IndexingKey(dictionaryID: $0.value(0), corpusID: $0.value(1)) }
        }
    }

    /// - Returns: The number of rows.
    @discardableResult
    private func add(_ section: ContentDigestSection, to stream: inout CanonicalStream, _ database: Database) throws
        -> Int
    {
        var count = 0
        stream.begin(section.name)
        let rows = try Row.fetchCursor(database, sql: section.sql)
        while let row = try rows.next() {
            stream.beginRow()
            count += 1
            for (index, value) in row.databaseValues.enumerated() {
                guard let frame = section.frame, index >= frame.column, case .blob(let bytes) = value.storage else {
                    stream.add(CatalogValue(value))
                    continue
                }
                stream.add(.blob(try content(frame.content, Array(bytes), in: row, of: section, database)))
                // The columns behind token ids describe how they are stored.
                if case .tokenIDs = frame.content { break }
            }
        }
        return count
    }

    private func content(
        _ content: ContentDigestSection.Content, _ frame: [UInt8], in row: Row, of section: ContentDigestSection,
        _ database: Database
    ) throws -> [UInt8] {
        switch content {
        case .plain(let limit):
            return try blob(section.name) { () throws(Zstd.Failure) in try Zstd.decompress(frame, limit: limit) }
        case .tokenIDs:
            let count: Int = try row.value(row.count - 2)
            let isShuffled: Bool = try row.value(row.count - 1)
            var writer = ByteWriter()
            let ids = try blob(section.name) { () throws(Zstd.Failure) in
                try TokenIDs.decode(frame, count: count, isShuffled: isShuffled)
            }
            for id in ids { writer.append(littleEndian: UInt32(bitPattern: id)) }
            return writer.bytes
        }
    }
}
