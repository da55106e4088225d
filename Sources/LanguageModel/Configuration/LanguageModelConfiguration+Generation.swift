internal import Foundation
package import Tokenization

extension LanguageModelConfiguration {
    /// The generation settings beside `config.json`.
    package static let generationFileName = "generation_config.json"

    /// The end tokens: those of `config.json`, and those of `generation_config.json` if it exists, where
    /// chat models name the end of a turn.
    ///
    /// - Throws: `.unreadable`, `.malformedConfiguration`.
    package func endOfSequence(in directory: String) throws(LanguageModelError) -> Set<TokenID> {
        let path = directory + "/" + Self.generationFileName
        guard FileManager.default.fileExists(atPath: path) else { return Set(endOfSequence) }
        return Set(endOfSequence).union(try ConfigurationDocument(path: path).tokens("eos_token_id"))
    }
}
