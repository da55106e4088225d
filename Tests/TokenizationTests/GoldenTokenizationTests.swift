import Foundation
import TestSupport
import Testing
import Tokenization

/// Every tokenizer of the fixtures against what the reference implementation made of the same texts.
struct GoldenTokenizationTests {
    struct Example: Decodable {
        var name: String
        var bytesBase64: Data
        var ids: [TokenID]
        var idsPlain: [TokenID]
        var decoded: String

        var text: String { String(decoding: bytesBase64, as: UTF8.self) }
    }

    private static func load(_ name: String) throws -> (Tokenizer, [Example]) {
        let golden = try Data(contentsOf: URL(filePath: fixture("tokenizers/\(name)/golden.json")))
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return (
            try Tokenizer(directory: fixture("tokenizers/\(name)")),
            try decoder.decode([Example].self, from: golden)
        )
    }

    @Test("Token ids equal the reference implementation's", arguments: ["llama3", "gpt2", "cl100k", "qwen2", "tekken"])
    func agreesWithTheReferenceImplementation(_ name: String) throws {
        let (tokenizer, examples) = try Self.load(name)
        #expect(examples.count > 100)
        for example in examples {
            let ids = tokenizer.encode(example.text)
            let plain = tokenizer.encode(example.text, addSpecialTokens: false)
            #expect(ids == example.ids, "\(example.name)")
            #expect(plain == example.idsPlain, "\(example.name)")
            // By bytes, since strings compare equal when they are canonically equivalent.
            #expect(Array(tokenizer.decode(plain).utf8) == Array(example.decoded.utf8), "\(example.name)")
        }
    }
}
