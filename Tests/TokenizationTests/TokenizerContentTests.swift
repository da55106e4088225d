import Foundation
import TestSupport
import Testing
import Tokenization

/// Bytes that represent a tokenizer's behaviour.
struct TokenizerContentTests {
    private func content(_ tokenizer: Tokenizer) -> [UInt8] {
        var bytes: [UInt8] = []
        tokenizer.withCanonicalContent { bytes.append(contentsOf: $0) }
        return bytes
    }

    private var file: TokenizerFile {
        var file = TokenizerFile()
        file.addToVocabulary("ab")
        file.addToVocabulary("abc")
        file.merges = ["a b", "ab c"]
        file.add("<x>", special: true)
        return file
    }

    @Test("A tokenizer file in another spelling has the same content") func aFileWrittenOtherwiseIsTheSame() throws {
        let expected = try content(file.load())
        var other = file
        other.merges = [["a", "b"], ["ab", "c"]]
        other.model = ["ignore_merges": false, "byte_fallback": false, "dropout": NSNull()]
        other.document = ["version": "1.0", "truncation": NSNull(), "normalizer": NSNull()]
        other.configuration = ["chat_template": "{{ messages }}", "eos_token": "<x>", "model_max_length": 7]
        #expect(try content(other.load()) == expected)
        // A token may as well be described in the other file.
        var elsewhere = file
        elsewhere.addedTokens = []
        elsewhere.configuration = ["added_tokens_decoder": ["258": ["content": "<x>", "special": true]]]
        #expect(try content(elsewhere.load()) == expected)
    }

    private static func split(_ behavior: String, inverted: Bool, _ expression: String = "a") -> [String: Any] {
        let split: [String: Any] = [
            "type": "Split", "pattern": ["Regex": expression], "behavior": behavior, "invert": inverted,
        ]
        let bytes: [String: Any] = ["type": "ByteLevel", "add_prefix_space": false, "use_regex": false]
        return ["type": "Sequence", "pretokenizers": [split, bytes]]
    }

    @Test("Every change of tokens changes the content") func everythingThatChangesTokensChangesIt() throws {
        let changes: [(inout TokenizerFile) -> Void] = [
            { $0.merges = ["ab c", "a b"] },
            { $0.merges = ["a b"] },
            {
                $0.vocabulary["\u{100}"] = 97; $0.vocabulary["a"] = 0
            },
            {
                $0.addToVocabulary("zz"); $0.addedTokens[0]["id"] = 259
            },
            { $0.addedTokens[0]["lstrip"] = true },
            { $0.addedTokens[0]["special"] = false },
            { $0.add("<y>") },
            { $0.model["ignore_merges"] = true },
            { $0.document["normalizer"] = ["type": "NFC"] },
            { $0.preTokenizer = ["type": "ByteLevel", "add_prefix_space": false] },
            { $0.preTokenizer = Self.split("Isolated", inverted: false) },
            { $0.preTokenizer = Self.split("Isolated", inverted: true) },
            { $0.preTokenizer = Self.split("Contiguous", inverted: false) },
            { $0.preTokenizer = Self.split("Contiguous", inverted: false, "a+") },
            { $0.configuration = ["pad_token": "<pad>"] },
            {
                $0.document["post_processor"] =
                    [
                        "type": "TemplateProcessing",
                        "single": [["SpecialToken": ["id": "<x>"]], ["Sequence": ["id": "A"]]],
                        "special_tokens": ["<x>": ["ids": [258]]],
                    ] as [String: Any]
            },
        ]
        var seen: Set<[UInt8]> = [try content(file.load())]
        for (number, change) in changes.enumerated() {
            var other = file
            change(&other)
            #expect(seen.insert(try content(other.load())).inserted, "change \(number)")
        }
    }
}
