import Foundation
import TestSupport
import Testing
import Tokenization

/// Unigram language models.
struct UnigramTests {
    /// The split with the largest sum, by trying all.
    private func best(_ text: Substring, _ scores: [String: Double]) -> (tokens: [String], score: Double)? {
        guard !text.isEmpty else { return ([], 0) }
        var result: (tokens: [String], score: Double)?
        for end in text.indices.dropFirst() + [text.endIndex] {
            let token = String(text[..<end])
            guard let score = scores[token], let rest = best(text[end...], scores) else { continue }
            if score + rest.score > result?.score ?? -.infinity { result = ([token] + rest.tokens, score + rest.score) }
        }
        return result
    }

    @Test("The sum of scores is the largest there is", arguments: 1...8) func isOptimal(_ seed: UInt64) throws {
        var generator = SplitMix(state: seed)
        var scores: [String: Double] = [:]
        for letter in "abc" { scores[String(letter)] = -Double.random(in: 5...9, using: &generator) }
        for _ in 0..<12 {
            let length = Int.random(in: 2...4, using: &generator)
            let token = String((0..<length).map { _ in "abc".randomElement(using: &generator) ?? "a" })
            scores[token] = -Double.random(in: 5...25, using: &generator)
        }
        let vocabulary = [("<unk>", 0.0)] + scores.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        let tokenizer = try TextTokenizerFile.unigram(vocabulary).load()
        for length in 1...11 {
            let text = String((0..<length).map { _ in "abc".randomElement(using: &generator) ?? "a" })
            let tokens = tokenizer.encode(text).map { vocabulary[Int($0)].0 }
            #expect(tokens == best(text[...], scores)?.tokens, "\(text)")
        }
    }

    @Test("A run of unknown characters becomes one unknown token, or bytes") func unknownCharacters() throws {
        let bytes = TextTokenizerFile.byteNames.map { ($0, -20.0) }
        let known = [("<unk>", 0.0), ("a", -1.0)]
        #expect(try TextTokenizerFile.unigram(known).load().encode("a\u{E9}\u{E8}a\u{E9}") == [1, 0, 1, 0])
        let fallback = try TextTokenizerFile.unigram(known + bytes, byteFallback: true).load()
        #expect(fallback.encode("a\u{E9}") == [1, 0xC3 + 2, 0xA9 + 2])
        // All bytes of a run have tokens, or none is used.
        let lacking = try TextTokenizerFile.unigram(known + bytes.filter { $0.0 != "<0xA8>" }, byteFallback: true)
            .load()
        #expect(lacking.encode("\u{E9}\u{E8}") == [0])
        #expect(fallback.encode("a<unk>a") == [1, 0, 1])
    }

    @Test("A long text is encoded as a whole") func longTexts() throws {
        let vocabulary = [("<unk>", 0.0), ("a", -3.0), ("aa", -4.0), ("ab", -1.0), ("b", -2.5), ("ba", -3.5)]
        let tokenizer = try TextTokenizerFile.unigram(vocabulary).load()
        // Everything is forced by the only token with a c; in between, positions are crossed by some token.
        for unit in ["ab", "a", "aab\u{E9}\u{E9}", "\u{E9}"] {
            let text = String(repeating: unit, count: 40_000)
            let ids = tokenizer.encode(text)
            if unit == "\u{E9}" { #expect(ids == [0]) }
            if unit == "ab" { #expect(ids == [TokenID](repeating: 3, count: 40_000)) }
            if unit == "a" { #expect(ids == [TokenID](repeating: 2, count: 20_000)) }
            if unit == "aab\u{E9}\u{E9}" { #expect(ids == (0..<40_000).flatMap { _ in [1, 3, 0] as [TokenID] }) }
        }
    }

    @Test("Malformed unigram models are refused with their place") func refusesMalformedModels() throws {
        func error(_ change: (inout [String: Any]) -> Void) -> TokenizerError? {
            var file = TextTokenizerFile.unigram([("<unk>", 0), ("a", -1)])
            change(&file.model)
            return tokenizerError { _ = try file.load() }
        }
        func place(_ error: TokenizerError?) -> String {
            switch error {
            case .malformed(_, let element, _), .unsupported(_, let element, _, _): element
            default: "\(String(describing: error))"
            }
        }
        #expect(error { _ in } == nil)
        #expect(place(error { $0["unk_id"] = NSNull() }) == "model.unk_id")
        #expect(place(error { $0["unk_id"] = 2 }) == "model.unk_id")
        #expect(place(error { $0["unk_id"] = -1 }) == "model.unk_id")
        #expect(place(error { $0["vocab"] = [["<unk>", 0], ["a"]] }) == "model.vocab[1]")
        #expect(place(error { $0["vocab"] = [["<unk>", 0], [1, 2]] }) == "model.vocab[1]")
        #expect(place(error { $0["vocab"] = [["<unk>", 0], ["a", "b"]] }) == "model.vocab[1]")
        #expect(place(error { $0["vocab"] = ["a": 0] }) == "model.vocab")
        #expect(place(error { $0["byte_fallback"] = 1 }) == "model.byte_fallback")
    }
}
