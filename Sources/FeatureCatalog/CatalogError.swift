/// A failed catalog operation, in one line: what, where and what to do.
package struct CatalogError: Error, CustomStringConvertible, Sendable {
    /// The kinds of failure, for a caller to act on.
    package enum Code: String, Sendable {
        /// There is no such file.
        case missing
        /// There is a file already.
        case exists
        /// The file is something else.
        case notACatalog
        /// A newer version of the software wrote it.
        case tooNew
        /// An older version wrote it, and it has to be migrated first.
        case tooOld
        /// Its contents are inconsistent.
        case damaged
        /// The disk is full, the file is read-only, or writing failed.
        case cannotWrite
        /// Refused for safety.
        case refused
        /// The SQL is wrong.
        case invalidSQL
        /// The time limit has passed.
        case timedOut
        /// Someone else is writing.
        case busy
        /// There is no such row.
        case notFound
        /// The value to be written is inconsistent with itself or the catalog.
        case invalidValue
        /// An unexpected failure.
        case failed
    }

    /// The kind of failure.
    package let code: Code

    /// One line for people.
    package let message: String

    /// Characters of a message.
    private static let maximumLength = 2000

    /// Describes a failure.
    package init(_ code: Code, _ message: String) {
        self.code = code
        // SQLite's messages can hold line breaks of the statement they quote, and what a file from elsewhere holds can
        // be anything: long, or made to move a terminal's cursor.
        let line = message.unicodeScalars.prefix(Self.maximumLength).map { scalar in
            scalar.properties.generalCategory == .control || "\u{2028}\u{2029}".unicodeScalars.contains(scalar)
                ? " " : Character(scalar)
        }
        self.message = String(line) + (message.unicodeScalars.count > Self.maximumLength ? "…" : "")
    }

    /// The message.
    package var description: String { message }
}
