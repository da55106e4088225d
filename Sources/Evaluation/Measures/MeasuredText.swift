package import ActivationPipeline
import Tokenization

/// The tokens of a measured text in the order in which they were read: first the documents that are fitted on, then
/// those that are measured on.
package struct MeasuredText {
    /// A document.
    struct Document {
        /// Its number in the text.
        let ordinal: Int
        /// Where it comes from.
        let source: String
        /// Its tokens.
        var tokens: Range<Int>
    }

    /// Ids of all tokens.
    private(set) var tokenIDs: [TokenID] = []
    /// The document of every token, as an index into `documents`.
    private(set) var documentOfToken: [Int] = []
    /// The documents.
    private(set) var documents: [Document] = []
    /// Tokens that are fitted on.
    private(set) var fittedTokens = 0
    /// Documents that are fitted on.
    private(set) var fittedDocuments = 0

    /// Starts without tokens.
    package init() {}

    /// Appends segments; those of a document come one after another.
    ///
    /// - Parameter source: where a document comes from.
    package mutating func append(_ segments: [TokenSegment], source: (_ document: Int) -> String) {
        for segment in segments {
            if documents.last?.ordinal != segment.document {
                documents.append(
                    Document(
                        ordinal: segment.document, source: source(segment.document),
                        tokens: tokenIDs.count..<tokenIDs.count))
            }
            tokenIDs += segment.tokens.dropFirst(segment.prefix)
            documents[documents.count - 1].tokens = documents[documents.count - 1].tokens.lowerBound..<tokenIDs.count
            documentOfToken += Array(
                repeating: documents.count - 1, count: tokenIDs.count - documentOfToken.count)
        }
    }

    /// Ends the documents that are fitted on.
    package mutating func endFitting() {
        (fittedTokens, fittedDocuments) = (tokenIDs.count, documents.count)
    }
}
