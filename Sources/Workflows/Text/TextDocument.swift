/// One document of a corpus.
public struct TextDocument: Sendable, Equatable {
    /// A name for people: a title, or the file's name and line.
    public let title: String
    /// Where it comes from: the record's `source`, or the file's name.
    public let source: String
    /// The text itself; bytes that are no text of the file's encoding have become U+FFFD.
    public let text: String
}
