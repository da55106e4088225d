import Foundation
import TestSupport
import Testing
import Tokenization

/// Byte-pair encodings over characters.
struct CharacterPairTests {
    /// Merges the pair of the lowest rank first, the leftmost first among equals, until none applies.
    private func naive(_ text: String, _ merges: [[String]]) -> [String] {
        var parts = text.unicodeScalars.map { String($0) }
        while true {
            var best: (rank: Int, place: Int)?
            for place in parts.indices.dropLast() {
                guard let rank = merges.firstIndex(of: [parts[place], parts[place + 1]]) else { continue }
                if best.map({ rank < $0.rank }) ?? true { best = (rank, place) }
            }
            guard let best else { return parts }
            parts[best.place] += parts.remove(at: best.place + 1)
        }
    }

    private func random(_ seed: UInt64, merges count: Int) -> (vocabulary: [String], merges: [[String]]) {
        var generator = SplitMix(state: seed)
        var vocabulary = ["a", "b", "c", "\u{2581}", "\u{E9}", "\u{1F600}"]
        var merges: [[String]] = []
        for _ in 0..<count {
            let pair = [
                vocabulary.randomElement(using: &generator) ?? "", vocabulary.randomElement(using: &generator) ?? "",
            ]
            guard !vocabulary.contains(pair.joined()) else { continue }
            merges.append(pair)
            vocabulary.append(pair.joined())
        }
        return (vocabulary, merges)
    }

    @Test("Tokens equal those of naive merging", arguments: 1...12) func equalsNaiveMerging(_ seed: UInt64) throws {
        var generator = SplitMix(state: seed + 100)
        let (vocabulary, merges) = random(seed, merges: 4 * Int(seed))
        let tokenizer = try TextTokenizerFile.pairs(vocabulary, merges: merges).load()
        for length in 0..<60 {
            let text = (0..<length).map { _ in vocabulary.prefix(6).randomElement(using: &generator) ?? "" }.joined()
            let tokens = tokenizer.encode(text).map { vocabulary[Int($0)] }
            #expect(tokens == naive(text, merges), "\(text)")
        }
    }

    @Test("Long texts without a border equal the text in one piece", arguments: 1...4)
    func longTextsAreWhole(_ seed: UInt64) throws {
        let (vocabulary, merges) = random(seed, merges: 30)
        // Long tokens of one unit are not merged again, so the tokens of a repeated text repeat.
        let tokenizer = try TextTokenizerFile.pairs(vocabulary, merges: merges).load()
        for unit in ["a", "ab", "\u{1F600}\u{E9}", "abc\u{2581}"] {
            let long = String(repeating: unit, count: 300_000 / unit.utf8.count)
            let ids = tokenizer.encode(long)
            #expect(ids.map { vocabulary[Int($0)] }.joined() == long)
            // The tokens in the middle are those of a text short enough to be encoded at once.
            let short = tokenizer.encode(String(repeating: unit, count: 60_000 / unit.utf8.count))
            #expect(ids.prefix(short.count / 2) == short.prefix(short.count / 2))
        }
    }

    @Test("Characters without a token become bytes, or the unknown token") func fallsBack() throws {
        let vocabulary = ["<unk>", "a"] + TextTokenizerFile.byteNames
        let text = "a\u{E9}a"
        let bytes: [TokenID] = [1, 0xC3 + 2, 0xA9 + 2, 1]
        func ids(_ vocabulary: [String], _ settings: [String: Any], _ text: String = text) throws -> [TokenID] {
            try TextTokenizerFile.pairs(vocabulary, merges: [], settings).load().encode(text)
        }
        #expect(try ids(vocabulary, ["byte_fallback": true, "unk_token": "<unk>"]) == bytes)
        #expect(try ids(vocabulary, ["byte_fallback": true]) == bytes)
        #expect(try ids(vocabulary, ["unk_token": "<unk>"]) == [1, 0, 1])
        #expect(try ids(vocabulary, [:]) == [1, 1])
        #expect(try ids(vocabulary, ["unk_token": "<unk>"], "\u{E9}\u{E9}") == [0, 0])
        #expect(try ids(vocabulary, ["unk_token": "<unk>", "fuse_unk": true], "\u{E9}\u{E9}a\u{E9}") == [0, 1, 0])
        let lacking = vocabulary.map { $0 == "<0xA9>" ? "x" : $0 }
        #expect(try ids(lacking, ["byte_fallback": true, "unk_token": "<unk>"]) == [1, 0, 1])
        // The unknown token waits for a known character.
        #expect(
            try ids(lacking, ["byte_fallback": true, "unk_token": "<unk>"], "\u{E9}\u{E8}a")
                == [0xC3 + 2, 0xA8 + 2, 0, 1])
    }

    @Test("With ignore_merges a text that is a token is that token") func ignoresMerges() throws {
        let vocabulary = ["a", "b", "ab", "ba", "bab"]
        let merges = [["a", "b"], ["b", "a"]]
        var file = TextTokenizerFile.pairs(vocabulary, merges: merges)
        #expect(try file.load().encode("bab") == [1, 2])
        file.model["ignore_merges"] = true
        #expect(try file.load().encode("bab") == [4])
        #expect(try file.load().encode("babb") == [1, 2, 1])
    }

    @Test("Merges of bytes' tokens apply to characters without a token") func mergesBytes() throws {
        let bytes = TextTokenizerFile.byteNames
        let vocabulary = bytes + ["a", "<0xC3><0xA9>", "a<0xC3><0xA9>"]
        let merges = [["<0xC3>", "<0xA9>"], ["a", "<0xC3><0xA9>"]]
        let tokenizer = try TextTokenizerFile.pairs(vocabulary, merges: merges, ["byte_fallback": true]).load()
        #expect(tokenizer.encode("a\u{E9}\u{E9}") == [258, 257])
    }
}
