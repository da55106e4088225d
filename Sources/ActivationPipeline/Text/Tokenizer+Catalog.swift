package import FeatureCatalog
package import Tokenization

extension Tokenizer {
    /// The vocabulary as the catalog stores it.
    package var records: [TokenRecord] {
        (0..<vocabularySize).map {
            TokenRecord(tokenID: $0, text: text(of: TokenID($0)), bytes: bytes(of: TokenID($0)))
        }
    }

    /// The text of a passage.
    package func passageText(_ tokens: some Sequence<TokenID>) -> PassageText {
        PassageText(tokenBytes: tokens.map { bytes(of: $0) })
    }
}
