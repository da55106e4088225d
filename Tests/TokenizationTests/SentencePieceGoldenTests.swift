import Foundation
import TestSupport
import Testing
import Tokenization

/// Every tokenizer of the SentencePiece kind against what the reference implementation made of the same texts.
struct SentencePieceGoldenTests {
    private struct Golden: Decodable {
        var prefix: [TokenID]
        var suffix: [TokenID]
        var cases: [Example]
    }

    private struct Example: Decodable {
        var text: String?
        var unit: String?
        var times: Int?
        var ids: [TokenID]?
        var count: Int?
        var digest: String?
        var decoded: String?
        var skipped: String?

        var content: String { text ?? String(repeating: unit ?? "", count: times ?? 0) }
    }

    static let names = [
        "llama-legacy", "llama-metaspace", "mistral", "gemma", "phi3", "t5", "unigram-bytes", "nfkc-lowercase",
        "byte-normalizer",
    ]

    private func load(_ name: String) throws -> (Tokenizer, Golden) {
        let folder = fixture("sentencepiece/\(name)")
        let golden = try Data(contentsOf: URL(filePath: folder + "/golden.json"))
        return (try Tokenizer(directory: folder), try JSONDecoder().decode(Golden.self, from: golden))
    }

    /// The 64-bit FNV-1a hash of ids as little-endian integers.
    private func digest(_ ids: [TokenID]) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for id in ids {
            withUnsafeBytes(of: id.littleEndian) { for byte in $0 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 } }
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    @Test("Ids and decoded text equal the reference implementation's", arguments: names)
    func agreesWithTheReferenceImplementation(_ name: String) throws {
        let (tokenizer, golden) = try load(name)
        #expect(golden.cases.count > 150)
        for example in golden.cases {
            let text = example.content
            let plain = tokenizer.encode(text, addSpecialTokens: false)
            #expect(tokenizer.encode(text) == golden.prefix + plain + golden.suffix)
            guard let ids = example.ids else {
                #expect(plain.count == example.count && digest(plain) == example.digest, "\(text.prefix(20))")
                continue
            }
            #expect(plain == ids, "\(text.debugDescription)")
            // By bytes, since strings compare equal when they are canonically equivalent.
            let decoded = example.decoded ?? text
            #expect(Array(tokenizer.decode(plain).utf8) == Array(decoded.utf8), "\(text.debugDescription)")
            let skipped = example.skipped ?? decoded
            let actual = tokenizer.decode(plain, skipSpecialTokens: true)
            #expect(Array(actual.utf8) == Array(skipped.utf8), "\(text.debugDescription)")
        }
    }

    @Test("Tokens delivered in stretches are those of the whole", arguments: names)
    func stretchesAreTheWhole(_ name: String) throws {
        let (tokenizer, golden) = try load(name)
        let text = golden.cases.map(\.content).joined(separator: " ")
        var ids: [TokenID] = []
        tokenizer.forEachStretch(ofTokensOf: text) { ids += $0 }
        #expect(ids == tokenizer.encode(text, addSpecialTokens: false))
    }

    @Test(
        "The bytes of a text's tokens joined are the text behind a space",
        arguments: ["llama-metaspace", "mistral", "unigram-bytes"])
    func joinedBytesAreTheText(_ name: String) throws {
        let (tokenizer, golden) = try load(name)
        for example in golden.cases {
            let text = example.content
            // Added tokens begin a stretch, and the character that stands for a space is one afterwards.
            guard !text.isEmpty, !text.contains("<"), !text.contains("["), !text.contains("\u{2581}") else { continue }
            guard !text.contains("Word"), !text.contains("\u{FB01}x") else { continue }
            let bytes = tokenizer.encode(text, addSpecialTokens: false).flatMap { tokenizer.bytes(of: $0) }
            let isSpaced = name != "mistral" && text.hasPrefix(" ")
            #expect(bytes == Array(((isSpaced ? "" : " ") + text).utf8), "\(text.debugDescription)")
        }
    }

    @Test("Tokens have the bytes they stand for") func tokensHaveTheirBytes() throws {
        let (tokenizer, _) = try load("mistral")
        #expect(tokenizer.text(of: 1) == "<s>")
        #expect(tokenizer.bytes(of: 3) == [0])
        #expect(tokenizer.bytes(of: 0xFF + 3) == [0xFF])
        let the = try #require(tokenizer.encode("the", addSpecialTokens: false).last)
        #expect(tokenizer.text(of: the) == " the")
    }
}
