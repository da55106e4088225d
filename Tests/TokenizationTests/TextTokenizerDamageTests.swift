import Foundation
import TestSupport
import Testing
import Tokenization

/// Damaged files of tokenizers over characters.
struct TextTokenizerDamageTests {
    private func pairs() -> TextTokenizerFile {
        var file = TextTokenizerFile.pairs(
            ["<unk>", "a", "b", "ab", "\u{2581}", "\u{2581}ab", "<0xC3>", "<0xA9>"],
            merges: [["a", "b"], ["\u{2581}", "ab"]], ["byte_fallback": true, "unk_token": "<unk>", "fuse_unk": true])
        file.normalizer =
            [
                "type": "Sequence",
                "normalizers": [
                    ["type": "Prepend", "prepend": "\u{2581}"], ["type": "NFKC"],
                    ["type": "Replace", "pattern": ["String": " "], "content": "\u{2581}"],
                ] as [[String: Any]],
            ] as [String: Any]
        file.decoder =
            [
                "type": "Sequence",
                "decoders": [
                    ["type": "Replace", "pattern": ["String": "\u{2581}"], "content": " "] as [String: Any],
                    ["type": "ByteFallback"], ["type": "Fuse"],
                    ["type": "Strip", "content": " ", "start": 1, "stop": 0],
                ],
            ] as [String: Any]
        return file
    }

    private func unigram() -> TextTokenizerFile {
        let vocabulary = [("<unk>", 0), ("a", -1.5), ("\u{2581}ab", -2.25), ("<0xC3>", -9), ("<0xA9>", -9)]
        var file = TextTokenizerFile.unigram(vocabulary, byteFallback: true)
        file.normalizer = ["type": "Precompiled", "precompiled_charsmap": "DAAAAAAEAAAAAAAAAAAAAGEA"]
        file.decoder = ["type": "Metaspace", "replacement": "\u{2581}", "prepend_scheme": "always"]
        file.postProcessor = ["type": "RobertaProcessing", "cls": ["a", 1], "sep": ["<unk>", 0]] as [String: Any]
        return file
    }

    @Test("Damage is refused or harmless", arguments: [true, false]) func damageIsRefusedOrHarmless(_ isPairs: Bool)
        throws
    {
        let json = Array(try (isPairs ? pairs() : unigram()).json)
        let directory = try TemporaryDirectory()
        let path = directory.file("tokenizer.json")
        try Data(json).write(to: URL(filePath: path))
        _ = try Tokenizer(file: path)
        var loaded = 0
        for position in json.indices {
            for mask: UInt8 in [0x01, 0x20] {
                var damaged = json
                damaged[position] ^= mask
                try Data(damaged).write(to: URL(filePath: path))
                guard let tokenizer = try? Tokenizer(file: path) else { continue }
                loaded += 1
                let ids = tokenizer.encode("ab \u{E9} ba\u{2581}\u{FB01}<unk>")
                #expect(ids.allSatisfy { $0 >= 0 && Int($0) < tokenizer.vocabularySize })
                _ = tokenizer.decode(ids, skipSpecialTokens: true)
            }
        }
        #expect(loaded > 0 && loaded < json.count * 2)
    }
}
