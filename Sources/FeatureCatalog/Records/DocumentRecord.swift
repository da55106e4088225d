/// One document of a corpus with its token ids (table `document`).
public struct DocumentRecord: Equatable, Sendable {
    /// The key; 0 for a record that is yet to be written.
    public let documentID: Int64
    /// Its place in the corpus, counted from 0.
    public let ordinal: Int
    /// A title for people; nil where there is none.
    public let title: String?
    /// Where the document comes from; nil where that is the corpus's own source.
    public let source: String?
    /// The token ids `[tokens]`, so that any context can be rebuilt and run again.
    public let tokenIDs: [Int32]
    /// Lower-case hexadecimal SHA-256 of the document's text in UTF-8.
    public let sha256: String

    /// Describes a document.
    public init(
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
