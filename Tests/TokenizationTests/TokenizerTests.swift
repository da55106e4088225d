import Foundation
import TestSupport
import Testing
import Tokenization

struct TokenizerTests {
    /// Text of every kind: all planes, spaces, controls and combining marks.
    private func randomTexts(_ count: Int, length: Int) -> [String] {
        var generator = SplitMix(state: 11)
        let ranges: [ClosedRange<UInt32>] = [
            0x20...0x7E, 0x20...0x7E, 0x0...0x20, 0x80...0x3FF, 0x900...0x97F, 0x1100...0x11FF, 0x2000...0x206F,
            0x4E00...0x4EFF, 0xAC00...0xACFF, 0x1F300...0x1F6FF, 0x10000...0x10FFFF,
        ]
        return (0..<count).map { _ in
            var text = ""
            for _ in 0..<Int.random(in: 0...length, using: &generator) {
                let range = ranges[Int.random(in: ranges.indices, using: &generator)]
                text.unicodeScalars.append(Unicode.Scalar(UInt32.random(in: range, using: &generator)) ?? " ")
            }
            return text
        }
    }

    @Test("Decoding returns the text", arguments: ["llama3", "gpt2", "cl100k"])
    func decodingGivesTheTextBack(_ name: String) throws {
        let tokenizer = try Tokenizer(directory: fixture("tokenizers/\(name)"))
        for text in randomTexts(2000, length: 30) {
            let ids = tokenizer.encode(text, addSpecialTokens: false)
            #expect(Array(tokenizer.decode(ids).utf8) == Array(text.utf8), "\(text.scalarValues)")
            #expect(ids.flatMap(tokenizer.bytes(of:)) == Array(text.utf8), "\(text.scalarValues)")
        }
    }

    /// Texts of many stretches, of one piece that is longer than several, of none.
    @Test("Tokenizing in stretches equals tokenizing the whole", arguments: ["llama3", "gpt2", "qwen2"])
    func tokensInStretchesAreThoseOfTheWhole(_ name: String) throws {
        let tokenizer = try Tokenizer(directory: fixture("tokenizers/\(name)"))
        let words = randomTexts(4000, length: 30).joined(separator: " ")
        let letters = (0..<300_000).map { ["a", "ab", "xq", "the"][$0 * $0 % 31 % 4] }.joined()
        for text in [words, letters, words + letters + " " + words, "one", ""] {
            var ids: [TokenID] = []
            var longest = 0
            tokenizer.forEachStretch(ofTokensOf: text) {
                ids += $0
                longest = max(longest, $0.count)
            }
            #expect(ids == tokenizer.encode(text, addSpecialTokens: false))
            // A long piece is passed on part by part, each of some ten thousand bytes.
            #expect(longest < 120_000)
        }
    }

    @Test func describesTokens() throws {
        let tokenizer = try Tokenizer(file: fixture("tokenizers/llama3/tokenizer.json"))
        #expect(tokenizer.vocabularySize == 606)
        #expect(tokenizer.isSpecial(600) && !tokenizer.isSpecial(599) && !tokenizer.isSpecial(-1))
        #expect(tokenizer.text(of: 600) == "<|begin_of_text|>")
        #expect(tokenizer.bytes(of: 0) == [0x21])
        // The byte 0x80 is not a character, nor is any id beyond the vocabulary.
        let continuation = try #require((0..<600).first { tokenizer.bytes(of: $0) == [0x80] })
        #expect(tokenizer.text(of: continuation) == "\u{FFFD}")
        for id: TokenID in [-1, 606, .min, .max] {
            #expect(tokenizer.bytes(of: id) == [] && tokenizer.text(of: id) == "")
        }
        #expect(tokenizer.addsBOS && tokenizer.bosTokenID == 600)
        #expect(tokenizer.eosTokenID == nil && tokenizer.padTokenID == nil && tokenizer.unknownTokenID == nil)
        #expect(tokenizer.encode("") == [600])
        #expect(tokenizer.encode("", addSpecialTokens: false) == [])
    }

    @Test("Decoding omits the tokens asked for") func decodingLeavesOutWhatIsAskedFor() throws {
        var file = TokenizerFile()
        let special = file.add("<s>", special: true)
        let plain = file.add("<p>")
        let tokenizer = try file.load()
        #expect(tokenizer.decode([97, special, 98, plain, 99, -5, 70_000]) == "a<s>b<p>c")
        #expect(tokenizer.decode([97, special, 98, plain, 99], skipSpecialTokens: true) == "ab<p>c")
        #expect(tokenizer.decode([0xE4, 0xB8, special, 0xAD]) == "\u{FFFD}<s>\u{FFFD}")
        #expect(tokenizer.decode([0xE4, 0xB8, special, 0xAD], skipSpecialTokens: true) == "\u{4E2D}")
    }

    private func templated(_ configuration: [String: Any]?) throws -> Tokenizer {
        var file = TokenizerFile()
        let (bos, eos) = (file.add("<s>", special: true), file.add("</s>", special: true))
        file.add("<pad>", special: true)
        file.configuration = configuration
        file.document["post_processor"] =
            [
                "type": "TemplateProcessing",
                "single": [
                    ["SpecialToken": ["id": "<s>", "type_id": 0]], ["Sequence": ["id": "A", "type_id": 0]],
                    ["SpecialToken": ["id": "</s>", "type_id": 0]],
                ],
                "special_tokens": ["<s>": ["id": "<s>", "ids": [bos]], "</s>": ["id": "</s>", "ids": [eos]]],
            ] as [String: Any]
        return try file.load()
    }

    @Test("The template's special tokens surround the text") func putsTheTemplateAroundText() throws {
        let tokenizer = try templated(nil)
        #expect(tokenizer.encode("ab") == [256, 97, 98, 257])
        #expect(tokenizer.encode("ab", addSpecialTokens: false) == [97, 98])
        #expect(tokenizer.bosTokenID == 256 && tokenizer.addsBOS)
    }

    @Test func readsTheConfiguration() throws {
        let names: [String: Any] = [
            "bos_token": "<s>", "eos_token": ["content": "</s>", "lstrip": false], "pad_token": "<pad>",
            "chat_template": "{{ messages }}", "unk_token": NSNull(),
        ]
        let tokenizer = try templated(names)
        #expect([tokenizer.bosTokenID, tokenizer.eosTokenID, tokenizer.padTokenID] == [256, 257, 258])
        #expect(tokenizer.chatTemplate == "{{ messages }}")
        #expect(tokenizer.encode("a") == [256, 97, 257])

        // What is put around a text is said by the post-processor alone, as in transformers 5.
        for (bos, eos) in [(true, true), (true, false), (false, true), (false, false)] {
            let flags: [String: Any] = ["add_bos_token": bos, "add_eos_token": eos]
            let tokenizer = try templated(names.merging(flags) { $1 })
            #expect(tokenizer.encode("a") == [256, 97, 257] && tokenizer.addsBOS && tokenizer.prefix == [256])
        }
        #expect(try templated(["add_eos_token": false]).encode("a") == [256, 97, 257])
        // The token that the post-processor puts first begins a text, whatever tokenizer_config.json calls so.
        #expect(try templated(["bos_token": "<pad>"]).bosTokenID == 256)

        let several: [[String: Any]] = [["name": "tool", "template": "1"], ["name": "default", "template": "2"]]
        #expect(try templated(["chat_template": several]).chatTemplate == "2")
        let absent = try templated(["bos_token": "<none>", "eos_token": NSNull()])
        #expect(absent.bosTokenID == 256 && absent.eosTokenID == nil)
    }

    @Test func canBeUsedFromManyThreads() async throws {
        let tokenizer = try Tokenizer(directory: fixture("tokenizers/cl100k"))
        let texts = randomTexts(200, length: 60)
        let expected = texts.map { tokenizer.encode($0) }
        await withTaskGroup(of: [[TokenID]].self) { group in
            for _ in 0..<8 { group.addTask { texts.map { tokenizer.encode($0) } } }
            for await ids in group { #expect(ids == expected) }
        }
    }
}

/// A small seeded generator, so that a failure comes back.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
