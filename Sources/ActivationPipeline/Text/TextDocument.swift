/// One document of a corpus.
package struct TextDocument: Sendable, Equatable {
    /// A display name: a title, or the file's name and line.
    package let title: String
    /// The record's `source`, or the file's name.
    package let source: String
    /// The text; invalid bytes are U+FFFD.
    package let text: String
}
