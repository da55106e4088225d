/// A stretch of a document that the model reads at once, with its text (table `passage`).
package struct PassageRecord: Equatable, Sendable {
    /// The key; 0 for a record that is yet to be written.
    package let passageID: Int64
    /// The document.
    package let documentID: Int64
    /// Its number among the document's passages, counted from 0.
    package let segment: Int
    /// Index of its first token in the document's token ids.
    package let firstToken: Int
    /// The tokens' text.
    package let text: PassageText

    /// Describes a passage.
    package init(passageID: Int64 = 0, documentID: Int64, segment: Int, firstToken: Int, text: PassageText) {
        self.passageID = passageID
        self.documentID = documentID
        self.segment = segment
        self.firstToken = firstToken
        self.text = text
    }
}
