import Foundation
import TestSupport
import Tokenization

/// A `tokenizer.json` made for one test: a vocabulary of the 256 bytes, and what the test adds.
struct TokenizerFile {
    /// The characters that stand for the bytes 0 to 255, as GPT-2 defines them.
    static let alphabet: [String] = {
        let printable = Set(Array(33...126) + Array(161...172) + Array(174...255))
        var next = 255
        return (0...255).map { byte in
            if !printable.contains(byte) { next += 1 }
            return String(Unicode.Scalar(UInt32(printable.contains(byte) ? byte : next)) ?? "?")
        }
    }()

    /// Bytes as a vocabulary writes them.
    static func written(_ text: some Sequence<UInt8>) -> String { text.map { alphabet[Int($0)] }.joined() }

    /// Ids 0 to 255 are the bytes.
    var vocabulary: [String: Any] = Dictionary(
        uniqueKeysWithValues: alphabet.enumerated().map { ($0.element, $0.offset) })
    var merges: [Any] = []
    /// Further entries of `model`.
    var model: [String: Any] = [:]
    var addedTokens: [[String: Any]] = []
    var preTokenizer: Any = ["type": "ByteLevel", "add_prefix_space": false, "use_regex": false] as [String: Any]
    /// Further entries of the document.
    var document: [String: Any] = [:]
    /// The content of `tokenizer_config.json`, if there is to be one.
    var configuration: [String: Any]?

    /// Adds a token with the next id and returns that.
    @discardableResult
    mutating func add(_ content: String, special: Bool = false, _ flags: [String: Any] = [:]) -> TokenID {
        let id = vocabulary.count + addedTokens.count
        var token: [String: Any] = [
            "id": id, "content": content, "special": special, "normalized": false, "lstrip": false, "rstrip": false,
            "single_word": false,
        ]
        token.merge(flags) { $1 }
        addedTokens.append(token)
        return TokenID(id)
    }

    /// Adds a token to the model's vocabulary and returns its id.
    @discardableResult
    mutating func addToVocabulary(_ text: String) -> TokenID {
        let id = vocabulary.count
        vocabulary[Self.written(text.utf8)] = id
        return TokenID(id)
    }

    /// The id of a token of the model's vocabulary.
    func id(_ text: String) -> TokenID { TokenID(vocabulary[Self.written(text.utf8)] as? Int ?? -1) }

    var json: [UInt8] {
        get throws {
            var model = model
            model.merge(["type": "BPE", "vocab": vocabulary, "merges": merges]) { given, _ in given }
            var document = document
            document.merge([
                "added_tokens": addedTokens, "pre_tokenizer": preTokenizer, "model": model,
                "decoder": ["type": "ByteLevel"],
            ]) { given, _ in given }
            return [UInt8](try JSONSerialization.data(withJSONObject: document, options: .sortedKeys))
        }
    }

    /// Writes the files to a directory of their own and loads them.
    func load() throws -> Tokenizer {
        let directory = try TemporaryDirectory()
        try Data(json).write(to: URL(filePath: directory.file("tokenizer.json")))
        if let configuration {
            try JSONSerialization.data(withJSONObject: configuration)
                .write(to: URL(filePath: directory.file("tokenizer_config.json")))
        }
        return try Tokenizer(directory: directory.path)
    }
}

/// The error that `body` throws, nil if it throws none or another type.
func tokenizerError(_ body: () throws -> Void) -> TokenizerError? {
    do { try body() } catch { return error as? TokenizerError }
    return nil
}

extension String {
    /// The scalars' numbers, to compare and to show what strings hide by comparing equal.
    var scalarValues: String { unicodeScalars.map { String($0.value, radix: 16) }.joined(separator: " ") }
}
