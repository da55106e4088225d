/// One document of a corpus with its token ids (table `document`).
package struct DocumentRecord: Equatable, Sendable {
    /// The key; 0 for a record that is yet to be written.
    package let documentID: Int64
    /// Its number in the corpus, counted from 0.
    package let ordinal: Int
    /// A title for people; nil where there is none.
    package let title: String?
    /// Where the document comes from; nil where that is the corpus's own source.
    package let source: String?
    /// The token ids `[tokens]`, so that any context can be rebuilt and run again.
    package let tokenIDs: [Int32]
    /// Lower-case hexadecimal SHA-256 of the document's text in UTF-8.
    package let sha256: String

    /// Describes a document.
    package init(
        documentID: Int64 = 0, ordinal: Int, title: String? = nil, source: String? = nil, tokenIDs: [Int32],
        sha256: String
    ) {
        self.documentID = documentID
        self.ordinal = ordinal
        self.title = title
        self.source = source
        self.tokenIDs = tokenIDs
        self.sha256 = sha256
    }
}
