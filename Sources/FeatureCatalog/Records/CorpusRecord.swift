/// A body of text, cut into documents (table `corpus`).
package struct CorpusRecord: Equatable, Sendable {
    /// The key; 0 for a record that is yet to be written.
    package let corpusID: Int64
    /// The model whose tokenizer made the documents' token ids.
    package let languageModelID: Int64
    /// Its name, such as `held-out`.
    package let name: String
    /// Where it comes from and under which licence, for people; nil where unknown.
    package let source: String?
    /// Lower-case hexadecimal SHA-256 of its text.
    package let sha256: String

    /// Describes a corpus.
    package init(corpusID: Int64 = 0, languageModelID: Int64, name: String, source: String? = nil, sha256: String) {
        self.corpusID = corpusID
        self.languageModelID = languageModelID
        self.name = name
        self.source = source
        self.sha256 = sha256
    }
}
