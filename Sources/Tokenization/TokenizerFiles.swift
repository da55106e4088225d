internal import Foundation

/// The JSON documents of a tokenizer: `tokenizer.json` and the files beside it.
struct TokenizerFiles {
    /// `tokenizer.json`
    var document: JSONElement
    /// `tokenizer_config.json`
    var configuration: JSONElement?
    /// `special_tokens_map.json`, written by older versions of transformers. Used only if `tokenizer_config.json`
    /// has no `added_tokens_decoder`.
    var specialTokensMap: JSONElement?
    /// `added_tokens.json`, likewise.
    var addedTokens: JSONElement?
    /// The names of the special tokens.
    private(set) var specialTokens = SpecialTokenNames()

    /// Takes a `tokenizer.json` alone.
    init(file: String) throws(TokenizerError) {
        document = try JSONElement(file: file)
    }

    /// Reads what a model's directory has.
    ///
    /// - Throws: `.missing` for `tokenizer.json`, `.unreadable`, `.malformed`.
    init(directory: String) throws(TokenizerError) {
        func optional(_ name: String) throws(TokenizerError) -> JSONElement? {
            let path = directory + "/" + name
            return FileManager.default.fileExists(atPath: path) ? try JSONElement(file: path) : nil
        }
        document = try JSONElement(file: directory + "/tokenizer.json")
        configuration = try optional("tokenizer_config.json")
        if try configuration?.member("added_tokens_decoder") == nil {
            specialTokensMap = try optional("special_tokens_map.json")
            addedTokens = try optional("added_tokens.json")
        }
        specialTokens = try SpecialTokenNames(configuration: configuration, map: specialTokensMap)
    }
}
