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

    /// Digests of these are stored in catalogs.
    @Test(
        "The content of byte-level tokenizers does not change with the version",
        arguments: [
            ("cl100k", 0xA60B_EE74_5D79_BA8B as UInt64),
            ("gpt2", 0x0CF8_0834_80BE_46D0 as UInt64),
            ("llama3", 0xDDAE_7FEE_1028_65AD as UInt64),
            ("qwen2", 0x6AC2_07C0_0B1C_E4B2 as UInt64),
            ("tekken", 0xEE9D_85D1_19F9_B25C as UInt64),
        ]) func byteLevelContentIsStable(_ name: String, _ expected: UInt64) throws
    {
        let tokenizer = try Tokenizer(directory: fixture("tokenizers/\(name)"))
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        tokenizer.withCanonicalContent { for byte in $0 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 } }
        #expect(hash == expected)
    }

    @Test("Every change of a SentencePiece tokenizer changes its content") func textTokenizersDiffer() throws {
        let bytes = TextTokenizerFile.byteNames
        func pairs(_ settings: [String: Any] = [:]) -> TextTokenizerFile {
            .pairs(["<unk>", "a", "b", "ab"] + bytes, merges: [["a", "b"]], settings)
        }
        let replace: [String: Any] = ["type": "Replace", "pattern": ["String": "a"], "content": "b"]
        let normalizers: [Any] = [
            ["type": "NFC"], ["type": "NFD"], ["type": "NFKC"], ["type": "NFKD"], ["type": "Lowercase"], replace,
            ["type": "Prepend", "prepend": "a"], ["type": "Prepend", "prepend": "b"], ["type": "StripAccents"],
            ["type": "Strip", "strip_left": true, "strip_right": false] as [String: Any], ["type": "Strip"],
            ["type": "Nmt"], ["type": "ByteLevel"], ["type": "BertNormalizer"],
            ["type": "Sequence", "normalizers": [replace, replace]] as [String: Any],
        ]
        let decoders: [Any] = [
            ["type": "ByteLevel"], ["type": "ByteFallback"], ["type": "Fuse"], replace, ["type": "WordPiece"],
            ["type": "Metaspace", "replacement": "a"], ["type": "Metaspace", "replacement": "b"],
            ["type": "Metaspace", "replacement": "b", "prepend_scheme": "never"],
            ["type": "BPEDecoder", "suffix": "a"],
            ["type": "Strip", "content": "a", "start": 1, "stop": 0] as [String: Any],
            ["type": "Sequence", "decoders": [] as [Any]] as [String: Any],
        ]
        var files = [
            pairs(), pairs(["byte_fallback": true]), pairs(["ignore_merges": true]), pairs(["unk_token": "<unk>"]),
            pairs(["fuse_unk": true]), .pairs(["<unk>", "a", "b", "ab"] + bytes),
            .unigram([("<unk>", 0), ("a", -1)]), .unigram([("<unk>", 0), ("a", -1.5)]),
            .unigram([("<unk>", 0), ("b", -1)]), .unigram([("<unk>", 0), ("a", -1), ("<0x00>", 0)]),
            .unigram([("<unk>", 0), ("a", -1), ("<0x00>", 0)], byteFallback: true),
        ]
        for normalizer in normalizers {
            files.append(pairs())
            files[files.count - 1].normalizer = normalizer
        }
        for decoder in decoders {
            files.append(pairs())
            files[files.count - 1].decoder = decoder
        }
        var seen: Set<[UInt8]> = []
        for (number, file) in files.enumerated() {
            #expect(seen.insert(try content(file.load())).inserted, "file \(number)")
        }
    }
}
