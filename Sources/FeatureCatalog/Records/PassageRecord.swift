/// A stretch of a document that a model saw at once, with its text (table `passage`).
public struct PassageRecord: Equatable, Sendable {
    /// The key; 0 for a record that is yet to be written.
    public let passageID: Int64
    /// The document.
    public let documentID: Int64
    /// Its number among the document's passages, counted from 0.
    public let segment: Int
    /// Index of its first token in the document's token ids.
    public let firstToken: Int
    /// The tokens' text.
    public let text: PassageText

    /// Describes a passage.
    public init(passageID: Int64 = 0, documentID: Int64, segment: Int, firstToken: Int, text: PassageText) {
        self.passageID = passageID
        self.documentID = documentID
        self.segment = segment
        self.firstToken = firstToken
        self.text = text
    }
}
