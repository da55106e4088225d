import TestSupport
import Testing
import Tokenization

/// Vocabularies of whole words and of their parts.
struct WordModelTests {
    private func load(_ type: String, _ vocabulary: [String], _ settings: [String: Any]) throws -> Tokenizer {
        var file = TextTokenizerFile.pairs(vocabulary)
        file.model["merges"] = nil
        file.model["type"] = type
        file.model.merge(settings) { $1 }
        return try file.load()
    }

    @Test("WordPiece takes the longest token that fits, or the whole word is unknown") func wordPiece() throws {
        let vocabulary = ["[UNK]", "un", "##aff", "##able", "unaff", "##a", "##\u{E9}"]
        let settings: [String: Any] = [
            "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 9,
        ]
        let tokenizer = try load("WordPiece", vocabulary, settings)
        #expect(tokenizer.encode("unaffable") == [4, 3])
        #expect(tokenizer.encode("una") == [1, 5])
        #expect(tokenizer.encode("un\u{E9}") == [1, 6])
        #expect(tokenizer.encode("unx") == [0] && tokenizer.encode("able") == [0])
        #expect(tokenizer.encode("unaffablea") == [0] && tokenizer.encode("") == [])
    }

    @Test("WordLevel takes a piece as a whole") func wordLevel() throws {
        let tokenizer = try load("WordLevel", ["<unk>", "ab", "a"], ["unk_token": "<unk>"])
        #expect(tokenizer.encode("ab") == [1] && tokenizer.encode("aba") == [0])
    }
}
