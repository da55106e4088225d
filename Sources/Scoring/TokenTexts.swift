package import ActivationPipeline
package import FeatureCatalog
import Tokenization

/// The text of tokens, from the tokenizer or, without one, from the catalog.
package struct TokenTexts {
    private let tokenizer: Tokenizer?
    private let known: [Int: String]

    /// Prepares the tokens of a dictionary's model.
    ///
    /// - Throws: `CatalogError` for an unreadable vocabulary.
    package init(folder: ModelFolder?, catalog: Catalog, dictionary: DictionaryRecord) throws {
        tokenizer = folder?.tokenizer
        guard tokenizer == nil, let modelID = dictionary.languageModelID else {
            known = [:]
            return
        }
        known = Dictionary(
            try catalog.tokens(languageModelID: modelID).map { ($0.tokenID, $0.text) },
            uniquingKeysWith: { first, _ in first })
    }

    /// Whether the text of any token is known.
    package var hasVocabulary: Bool { tokenizer != nil || !known.isEmpty }

    /// The text of one token; its number if unknown.
    package func of(_ token: Int32) -> String {
        if let tokenizer, (0..<tokenizer.vocabularySize).contains(Int(token)) { return tokenizer.text(of: token) }
        return known[Int(token)] ?? "#\(token)"
    }
}
