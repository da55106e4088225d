import Foundation
import GRDB
import Synchronization

extension Catalog {
    /// The largest dictionary that is read.
    static let maximumZstdDictionaryByteCount = 1 << 20

    /// The dictionary for the blobs of a column, such as `context_activations.values`; nil if there is none.
    ///
    /// - Throws: ``CatalogError`` `.damaged` if it does not match its digest.
    func zstdDictionary(for purpose: String, _ database: Database) throws -> ZstdDictionary? {
        if let known = zstdDictionaries.withLock({ $0[purpose] }) { return known }
        let row = try Row.fetchOne(
            database,
            sql: """
                SELECT zstd_dictionary_id, sha256, length(content),
                    CASE WHEN length(content) <= \(Self.maximumZstdDictionaryByteCount) THEN content END
                FROM zstd_dictionary WHERE purpose = ?
                """,
            arguments: [purpose])
        guard let row else { return nil }
        let place = "zstd dictionary for \(purpose)"
        guard let content = try row.optionalBytes(3) else {
            throw CatalogError(.damaged, "\(path): \(place): \(try row.value(2) as Int) bytes, more than any has")
        }
        var digest = SHA256Digest()
        digest.update(content)
        guard try digest.hexadecimal() == row.value(1) else {
            throw CatalogError(.damaged, "\(path): \(place): it does not match its SHA-256")
        }
        let dictionary = try blob(place) { () throws(Zstd.Failure) in try ZstdDictionary(content: content) }
        guard try dictionary.id == row.value(0) else {
            throw CatalogError(.damaged, "\(path): \(place): its number is another one")
        }
        zstdDictionaries.withLock { $0[purpose] = dictionary }
        return dictionary
    }

    /// Keeps a dictionary for the blobs of a column.
    func add(_ dictionary: ZstdDictionary, for purpose: String, _ database: Database) throws {
        var digest = SHA256Digest()
        digest.update(dictionary.content)
        try database.execute(
            sql: "INSERT INTO zstd_dictionary (zstd_dictionary_id, purpose, sha256, content) VALUES (?, ?, ?, ?)",
            arguments: [dictionary.id, purpose, digest.hexadecimal(), Data(dictionary.content)])
    }
}
