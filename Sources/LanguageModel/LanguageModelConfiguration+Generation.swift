internal import Foundation
package import Tokenization

extension LanguageModelConfiguration {
    /// The file beside `config.json` that says how a model is to write.
    package static let generationFileName = "generation_config.json"

    /// The tokens that end a text: those of `config.json`, and those of `generation_config.json` if it is there, where
    /// models made for chats name the end of a turn.
    ///
    /// - Throws: `.unreadable`, `.malformedConfiguration`.
    package func endOfSequence(in directory: String) throws(LanguageModelError) -> Set<TokenID> {
        let path = directory + "/" + Self.generationFileName
        guard FileManager.default.fileExists(atPath: path) else { return Set(endOfSequence) }
        return Set(endOfSequence).union(try ConfigurationDocument(path: path).tokens("eos_token_id"))
    }
}
