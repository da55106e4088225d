/// What went wrong with a catalog, in one line that says what, where and what to do.
public struct CatalogError: Error, CustomStringConvertible, Sendable {
    /// The kinds of failure, for a caller to act on.
    public enum Code: String, Sendable {
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
        /// Its bytes contradict themselves.
        case damaged
        /// The disk is full, the file is read-only, or writing failed.
        case cannotWrite
        /// Not done, for safety.
        case refused
        /// The SQL is wrong.
        case invalidSQL
        /// The time limit has passed.
        case timedOut
        /// Someone else is writing.
        case busy
        /// There is no such row.
        case notFound
        /// What was to be written contradicts itself or what is there.
        case invalidValue
        /// Something that should not happen.
        case failed
    }

    /// The kind of failure.
    public let code: Code

    /// One line for people.
    public let message: String

    /// Describes a failure.
    public init(_ code: Code, _ message: String) {
        self.code = code
        // SQLite's messages can hold line breaks of the statement they quote.
        self.message = String(message.map { $0.isNewline ? " " : $0 })
    }

    /// The message.
    public var description: String { message }
}
