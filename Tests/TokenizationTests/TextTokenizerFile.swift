import Foundation
import TestSupport
import Tokenization

/// A `tokenizer.json` without bytes written as characters, made for one test.
struct TextTokenizerFile {
    var model: [String: Any]
    var addedTokens: [[String: Any]] = []
    var normalizer: Any = NSNull()
    var preTokenizer: Any = NSNull()
    var decoder: Any = NSNull()
    var postProcessor: Any = NSNull()

    /// A byte-pair encoding over characters; the ids are the places in the vocabulary.
    static func pairs(_ vocabulary: [String], merges: [[String]] = [], _ settings: [String: Any] = [:]) -> Self {
        let ids = Dictionary(uniqueKeysWithValues: vocabulary.enumerated().map { ($0.element, $0.offset) })
        var model: [String: Any] = ["type": "BPE", "vocab": ids, "merges": merges]
        model.merge(settings) { $1 }
        return Self(model: model)
    }

    /// A unigram model; the first token is the unknown one.
    static func unigram(_ vocabulary: [(String, Double)], byteFallback: Bool = false) -> Self {
        let list: [[Any]] = vocabulary.map { [$0.0, $0.1] }
        return Self(model: ["type": "Unigram", "unk_id": 0, "vocab": list, "byte_fallback": byteFallback])
    }

    /// The names of the tokens that stand for bytes.
    static let byteNames = (0..<256).map { byte in
        let digits = String(byte, radix: 16, uppercase: true)
        return "<0x" + (digits.count < 2 ? "0" : "") + digits + ">"
    }

    /// A tokenizer whose tokens are bytes and whose decoded text is the normalised one.
    static func bytes(normalizer: [String: Any]) -> Self {
        var file = pairs(byteNames, ["byte_fallback": true])
        file.normalizer = normalizer
        file.decoder = ["type": "Sequence", "decoders": [["type": "ByteFallback"], ["type": "Fuse"]]] as [String: Any]
        return file
    }

    private static func pairs(_ vocabulary: [String], _ settings: [String: Any]) -> Self {
        pairs(vocabulary, merges: [], settings)
    }

    var json: Data {
        get throws {
            let document: [String: Any] = [
                "model": model, "added_tokens": addedTokens, "normalizer": normalizer, "pre_tokenizer": preTokenizer,
                "decoder": decoder, "post_processor": postProcessor,
            ]
            return try JSONSerialization.data(withJSONObject: document, options: .sortedKeys)
        }
    }

    /// Writes the file to a directory of its own and loads it.
    func load() throws -> Tokenizer {
        let directory = try TemporaryDirectory()
        try json.write(to: URL(filePath: directory.file("tokenizer.json")))
        return try Tokenizer(file: directory.file("tokenizer.json"))
    }
}
