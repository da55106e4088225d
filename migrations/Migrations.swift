/// One numbered step of the catalog's schema.
package struct Migration: Sendable {
    /// The step's number; a catalog's `user_version` is the number of the last step applied to it.
    package let number: Int

    /// The file it came from, `NNNN_name.sql` without the extension.
    package let name: String

    /// The statements, applied in one transaction. Never changed once released.
    package var sql: String { String(decoding: bytes, as: UTF8.self) }

    /// The file. Text is made of it only where a step is applied, which opening a catalog does not do.
    fileprivate let bytes: [UInt8]
}

/// Every step in order, from an empty database to the present schema.
package enum Migrations {
    /// The steps, numbered from 1 without gaps.
    package static let all: [Migration] = [
        // SwiftPM makes an identifier of the file's name by replacing the leading digit.
        Migration(
            number: 1, name: "0001_catalog", bytes: PackageResources._001_catalog_sql),
        Migration(
            number: 2, name: "0002_corpora_and_passages",
            bytes: PackageResources._002_corpora_and_passages_sql),
        Migration(
            number: 3, name: "0003_contexts_moved",
            bytes: PackageResources._003_contexts_moved_sql),
        Migration(
            number: 4, name: "0004_faster_questions",
            bytes: PackageResources._004_faster_questions_sql),
        Migration(
            number: 5, name: "0005_verdicts_and_exchanges",
            bytes: PackageResources._005_verdicts_and_exchanges_sql),
        Migration(
            number: 6, name: "0006_every_tool",
            bytes: PackageResources._006_every_tool_sql),
        Migration(
            number: 7, name: "0007_what_is_encoded",
            bytes: PackageResources._007_what_is_encoded_sql),
        Migration(
            number: 8, name: "0008_equal_bins",
            bytes: PackageResources._008_equal_bins_sql),
    ]

    /// The number of the last step: the schema that this version of the software writes.
    package static var latest: Int { all.count }
}
