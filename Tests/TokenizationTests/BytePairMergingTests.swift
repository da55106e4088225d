import TestSupport
import Testing
import Tokenization

struct BytePairMergingTests {
    /// The definition: repeatedly the leftmost of the pairs with the lowest rank.
    private func mergedOneByOne(_ text: [UInt8], merges: [(String, String)]) -> [String] {
        var tokens = text.map { TokenizerFile.alphabet[Int($0)] }
        let ranks = Dictionary(merges.enumerated().map { ("\($0.element.0) \($0.element.1)", $0.offset) }) { $1 }
        while true {
            let pairs = tokens.indices.dropLast().compactMap { index in
                ranks["\(tokens[index]) \(tokens[index + 1])"].map { (rank: $0, index: index) }
            }
            guard let best = pairs.min(by: { ($0.rank, $0.index) < ($1.rank, $1.index) }) else { return tokens }
            tokens[best.index] += tokens.remove(at: best.index + 1)
        }
    }

    @Test func agreesWithTheDefinition() throws {
        var generator = SplitMix(state: 5)
        for round in 0..<60 {
            var file = TokenizerFile()
            var tokens = ["a", "b", "c", "Ġ"]
            var merges: [(String, String)] = []
            for _ in 0..<25 {
                let pair = (
                    tokens.randomElement(using: &generator) ?? "", tokens.randomElement(using: &generator) ?? ""
                )
                // One way to every token, as training makes them.
                guard file.vocabulary[pair.0 + pair.1] == nil else { continue }
                file.vocabulary[pair.0 + pair.1] = file.vocabulary.count
                tokens.append(pair.0 + pair.1)
                merges.append(pair)
            }
            merges.shuffle(using: &generator)
            // Both ways of writing them.
            file.merges = merges.map { round % 2 == 0 ? "\($0.0) \($0.1)" as Any : [$0.0, $0.1] }
            let tokenizer = try file.load()
            for _ in 0..<100 {
                let text = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                    Array("abc ".utf8).randomElement(using: &generator) ?? 0
                }

                let actual = tokenizer.encode(String(decoding: text, as: UTF8.self)).map {
                    TokenizerFile.written(tokenizer.bytes(of: $0))
                }
                #expect(actual == mergedOneByOne(text, merges: merges))
            }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func takesLongPiecesInLittleMoreThanLinearTime() throws {
        var file = TokenizerFile()
        for length in [2, 4, 8, 16] {
            file.addToVocabulary(String(repeating: "a", count: length))
            let half = String(repeating: "a", count: length / 2)
            file.merges.append("\(half) \(half)")
        }

        let tokenizer = try file.load()
        // A quadratic method would need hours.
        let ids = tokenizer.encode(String(repeating: "a", count: 2_000_003))
        #expect(ids.count == 125_002)
        #expect(ids.prefix(125_000).allSatisfy { $0 == 259 })
        #expect(Array(ids.suffix(2)) == [256, 97])
    }

    /// Pieces encoded in parts equal the whole: merges in the order of their ranks, each wherever it applies, from
    /// the left.
    @Test("Long pieces encoded in parts equal the whole") func longPiecesBecomeWhatTheyAreAsAWhole() throws {
        var generator = SplitMix(state: 9)
        for letters in ["a", "ab", "abc", "aab"] {
            var file = TokenizerFile()
            var tokens = Set(letters).map(String.init).sorted()
            for _ in 0..<24 {
                let pair = (
                    tokens.randomElement(using: &generator) ?? "", tokens.randomElement(using: &generator) ?? ""
                )
                // Made as training makes them: every merge is of tokens that came before it.
                guard file.vocabulary[pair.0 + pair.1] == nil else { continue }
                tokens.append(pair.0 + pair.1)
                file.addToVocabulary(pair.0 + pair.1)
                file.merges.append("\(pair.0) \(pair.1)")
            }

            let tokenizer = try file.load()
            let text = (0..<200_000).map { _ in Array(letters.utf8).randomElement(using: &generator) ?? 0 }
            var expected = text.map { TokenID($0) }
            for merge in file.merges {
                let pair = "\(merge)".split(separator: " ").map { file.id(String($0)) }
                let both = file.id("\(merge)".replacing(" ", with: ""))
                var merged: [TokenID] = []
                var place = 0
                while place < expected.count {
                    let isPair =
                        place + 1 < expected.count && expected[place] == pair[0] && expected[place + 1] == pair[1]
                    merged.append(isPair ? both : expected[place])
                    place += isPair ? 2 : 1
                }
                expected = merged
            }
            #expect(tokenizer.encode(String(decoding: text, as: UTF8.self)) == expected, "\(letters)")
        }
    }

    @Test func wholePiecesCanComeBeforeMerges() throws {
        var file = TokenizerFile()
        let ab = file.addToVocabulary("ab")
        let abc = file.addToVocabulary("abc")
        file.merges = ["a b"]
        #expect(try file.load().encode("abc") == [ab, 99])
        file.model["ignore_merges"] = true
        #expect(try file.load().encode("abc") == [abc])
        #expect(try file.load().encode("abcc") == [ab, 99, 99])
    }

    @Test("Of two equal merges the later counts") func laterOfTwoEqualMergesCounts() throws {
        var file = TokenizerFile()
        let (ab, bc) = (file.addToVocabulary("ab"), file.addToVocabulary("bc"))
        file.merges = ["a b", "b c"]
        #expect(try file.load().encode("abc") == [ab, 99])
        file.merges = ["a b", "b c", "a b"]
        #expect(try file.load().encode("abc") == [97, bc])
    }

    @Test func bytesWithoutATokenVanishOrBecomeUnknown() throws {
        var file = TokenizerFile()
        file.vocabulary.removeValue(forKey: "x")
        file.vocabulary.removeValue(forKey: "y")
        #expect(try file.load().encode("axyb") == [97, 98])
        #expect(try file.load().unknownTokenID == nil)
        file.vocabulary["<unk>"] = 300
        file.model["unk_token"] = "<unk>"
        #expect(try file.load().encode("axybx") == [97, 300, 300, 98, 300])
        #expect(try file.load().unknownTokenID == 300)
        file.model["fuse_unk"] = true
        #expect(try file.load().encode("axybx") == [97, 300, 98, 300])
    }

    /// More different pieces than are remembered, twice over, against each piece on its own.
    @Test("The cache does not change the result") func whatIsRememberedDoesNotChangeTheResult() throws {
        let tokenizer = try Tokenizer(directory: fixture("tokenizers/gpt2"))
        let words = (0..<200_000).map { " " + String($0 &* 2_654_435_761 % 1_000_003, radix: 36) }
        let first = tokenizer.encode(words.joined(), addSpecialTokens: false)
        let second = tokenizer.encode(words.joined(), addSpecialTokens: false)
        #expect(first == second)
        #expect(Array(tokenizer.decode(first).utf8) == Array(words.joined().utf8))
        var offset = 0
        for word in words.prefix(2000) {
            let fresh = try #require(word.isEmpty ? nil : tokenizer.encode(word, addSpecialTokens: false))
            #expect(Array(first[offset..<offset + fresh.count]) == fresh)
            offset += fresh.count
        }
    }
}
