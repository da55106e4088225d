import Foundation
import TestSupport
import Testing
import Tokenization

/// Decoders, with what version 0.23.3 of the reference implementation makes of the same tokens.
struct DecoderTests {
    private func decode(_ tokens: [String], by decoder: Any) throws -> String {
        let names = Array(Set(tokens)).sorted()
        var file = TextTokenizerFile.pairs(names)
        file.decoder = decoder
        return try file.load().decode(tokens.map { TokenID(names.firstIndex(of: $0) ?? -1) })
    }

    @Test("Metaspace writes spaces, but none in the first token") func metaspace() throws {
        let tokens = ["\u{2581}\u{2581}a\u{2581}b", "\u{2581}c"]
        func decoder(_ settings: [String: Any]) -> [String: Any] {
            settings.merging(["type": "Metaspace", "replacement": "\u{2581}"]) { $1 }
        }
        #expect(try decode(tokens, by: decoder([:])) == "ab c")
        #expect(try decode(tokens, by: decoder(["prepend_scheme": "first", "split": false])) == "ab c")
        #expect(try decode(tokens, by: decoder(["prepend_scheme": "never"])) == "  a b c")
        #expect(try decode(tokens, by: decoder(["add_prefix_space": true, "str_rep": "\u{2581}"])) == "ab c")
        #expect(try decode(tokens, by: decoder(["add_prefix_space": false, "prepend_scheme": "never"])) == "  a b c")
    }

    @Test("ByteFallback joins bytes to text") func byteFallback() throws {
        let decoder = ["type": "ByteFallback"]
        #expect(try decode(["<0xE5>", "<0x8f>", "<0xab>", "a"], by: decoder) == "\u{53EB}a")
        #expect(try decode(["<0xE5>", "<0x8f>", "a"], by: decoder) == "\u{FFFD}\u{FFFD}a")
        #expect(try decode(["<0x+F>", "<0x\u{E9}>"], by: decoder) == "\u{F}<0x\u{E9}>")
    }

    @Test("The other decoders do as the reference implementation") func others() throws {
        let words: [String: Any] = ["type": "WordPiece", "prefix": "##", "cleanup": true]
        #expect(
            try decode(["##a", "b", "##c", "don", "'", "t", " do not", ".", " ."], by: words)
                == "##a bc don ' t  don't. .")
        let speech: [String: Any] = ["type": "CTC", "pad_token": "<pad>", "word_delimiter_token": "|", "cleanup": true]
        #expect(try decode(["a", "a", "<pad>", "a", "|", "|", "b"], by: speech) == "aa b")
        #expect(try decode(["a</w>", "b</w>c", "d</w>"], by: ["type": "BPEDecoder", "suffix": "</w>"]) == "a b cd")
        let strip: [String: Any] = ["type": "Strip", "content": " ", "start": 2, "stop": 1]
        #expect(try decode(["   a  ", "b"], by: strip) == " a b")
        #expect(try decode([" "], by: strip) == "")
        #expect(try decode(["a", "b", " "], by: NSNull()) == "a b  ")
    }

    @Test("Steps behind Fuse see the text as a whole, and tokens keep what they remove") func fuses() throws {
        var file = TextTokenizerFile.pairs(["\u{2581}a", "\u{2581}", "<0x0A>"])
        file.decoder =
            [
                "type": "Sequence",
                "decoders": [
                    ["type": "Replace", "pattern": ["String": "\u{2581}"], "content": " "] as [String: Any],
                    ["type": "ByteFallback"], ["type": "Fuse"],
                    ["type": "Strip", "content": " ", "start": 1, "stop": 0] as [String: Any],
                ] as [Any],
            ] as [String: Any]
        let tokenizer = try file.load()
        #expect(tokenizer.decode([0, 0, 2, 1]) == "a a\n ")
        #expect(tokenizer.text(of: 0) == " a" && tokenizer.text(of: 1) == " " && tokenizer.bytes(of: 2) == [10])
    }

    @Test("Malformed decoders are refused") func refusesMalformedDecoders() throws {
        let malformed: [Any] = [
            "ByteLevel", ["type": "Strip", "content": "ab", "start": 0, "stop": 0] as [String: Any],
            ["type": "Strip", "content": "a", "start": -1, "stop": 0] as [String: Any],
            ["type": "Metaspace", "replacement": ""], ["type": "BPEDecoder", "suffix": ""], ["type": "BPEDecoder"],
            ["type": "Replace", "content": "a"], ["type": "Replace", "pattern": ["String": "a"]] as [String: Any],
        ]
        for decoder in malformed {
            guard case .malformed = tokenizerError({ _ = try decode(["a"], by: decoder) }) else {
                Issue.record("\(decoder) was not refused")
                continue
            }
        }
    }
}
