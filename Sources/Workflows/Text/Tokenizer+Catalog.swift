import FeatureCatalog
import Tokenization

extension Tokenizer {
    /// The vocabulary as the catalog stores it.
    var records: [TokenRecord] {
        (0..<vocabularySize).map {
            TokenRecord(tokenID: $0, text: text(of: TokenID($0)), bytes: bytes(of: TokenID($0)))
        }
    }

    /// A window as text, the peak token between « and ».
    func excerpt(_ tokens: [TokenID], peak: Int) -> String {
        decode(Array(tokens[..<peak])) + "«" + decode([tokens[peak]]) + "»" + decode(Array(tokens[(peak + 1)...]))
    }
}
