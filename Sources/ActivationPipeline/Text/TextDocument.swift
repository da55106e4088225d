/// One document of a corpus.
package struct TextDocument: Sendable, Equatable {
    /// A name for people: a title, or the file's name and line.
    package let title: String
    /// Where it comes from: the record's `source`, or the file's name.
    package let source: String
    /// The text itself; bytes that are no text of the file's encoding have become U+FFFD.
    package let text: String
}
