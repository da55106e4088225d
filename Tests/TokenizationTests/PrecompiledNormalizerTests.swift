import Foundation
import TestSupport
import Testing
import Tokenization

/// The character map of a SentencePiece model, taken from the fixture of T5's kind.
struct PrecompiledNormalizerTests {
    private func map() throws -> [UInt8] {
        let file = try Data(contentsOf: URL(filePath: fixture("sentencepiece/t5/tokenizer.json")))
        let document = try JSONSerialization.jsonObject(with: file) as? [String: Any]
        let normalizer = document?["normalizer"] as? [String: Any]
        let text = try #require(normalizer?["precompiled_charsmap"] as? String)
        return [UInt8](try #require(Data(base64Encoded: text)))
    }

    private func tokenizer(_ map: [UInt8]) throws -> Tokenizer {
        let text = Data(map).base64EncodedString()
        return try TextTokenizerFile.bytes(normalizer: ["type": "Precompiled", "precompiled_charsmap": text]).load()
    }

    /// Made with version 0.23.3 of the reference implementation.
    @Test("Grapheme clusters are replaced as in the reference implementation") func replacesClusters() throws {
        let tokenizer = try tokenizer(map())
        for (text, expected) in [
            ("e\u{301}\u{302}", "\u{E9}"), ("x\u{301}", "x\u{301}"), ("a\r\nb", "a b"), ("\n", " "), ("\u{FB01}", "fi"),
            ("a\u{AD}b", "ab"), ("\u{FF21}\u{301}", "A"), ("\u{3000}", " "), ("o\u{308}", "\u{F6}"), ("", ""),
            ("\u{1F469}\u{200D}\u{1F469}", "\u{1F469}\u{200D}\u{1F469}"), ("ab \u{2460}\u{2461}c", "ab 12c"),
        ] {
            let actual = tokenizer.decode(tokenizer.encode(text))
            #expect(actual.scalarValues == expected.scalarValues, "\(text.scalarValues)")
        }
    }

    @Test("Maps cut short or of other bytes are refused or harmless") func survivesDamage() throws {
        let map = try map()
        let trie = 4 + (0..<4).reduce(0) { $0 | Int(map[$1]) << (8 * $1) }
        for count in [0, 1, 3, 4, 8, trie - 1, trie - 4] {
            guard case .malformed = tokenizerError({ _ = try tokenizer(Array(map[..<count])) }) else {
                Issue.record("a map of \(count) bytes was not refused")
                continue
            }
        }
        var generator = SplitMix(state: 1)
        let text = String(String.UnicodeScalarView((1...0x600).compactMap(Unicode.Scalar.init))) + "\u{FB01}e\u{301}"
        for _ in 0..<60 {
            var damaged = map
            for _ in 0..<200 {
                damaged[Int.random(in: 4..<trie, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            guard let tokenizer = try? tokenizer(damaged) else { continue }
            _ = tokenizer.decode(tokenizer.encode(text))
        }
        // Every value of the trie's leaves leads behind the replacements.
        let cut = try tokenizer(Array(map[..<trie]))
        #expect(cut.decode(cut.encode("\u{FB01}a")) == "\u{FB01}a")
    }

    @Test("A map that is not base 64 is refused") func refusesOtherText() throws {
        for text in ["?", "A", "AAAA AAAA"] {
            let file = TextTokenizerFile.bytes(normalizer: ["type": "Precompiled", "precompiled_charsmap": text])
            guard case .malformed = tokenizerError({ _ = try file.load() }) else {
                Issue.record("\(text) was not refused")
                continue
            }
        }
    }
}
