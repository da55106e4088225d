import Foundation
import TestSupport
import Testing
import Tokenization

/// The pieces of every form of `pre_tokenizer` against those of the reference implementation.
struct SplitGoldenTests {
    private struct Form {
        var name: String
        var preTokenizer: Any
        var pieces: [[String]]
    }

    private static func load() throws -> (texts: [String], forms: [Form]) {
        let bytes = try Data(contentsOf: URL(filePath: fixture("tokenizers/splits.json")))
        let document = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
        let forms = try #require(document["forms"] as? [[String: Any]])
        return (
            try #require(document["texts"] as? [String]),
            try forms.map {
                Form(
                    name: try #require($0["name"] as? String), preTokenizer: $0["pre_tokenizer"] ?? NSNull(),
                    pieces: try #require($0["pieces"] as? [[String]]))
            }
        )
    }

    @Test("Every form of pre_tokenizer gives the pieces of the reference implementation")
    func piecesAreThoseOfTheReferenceImplementation() throws {
        let (texts, forms) = try Self.load()
        #expect(forms.count > 40 && texts.count > 30)
        for form in forms {
            let preTokenizer = try loadPreTokenizer(form.preTokenizer)
            for (text, expected) in zip(texts, form.pieces) {
                let pieces = preTokenizer.pieces(of: text)
                let written = pieces.map {
                    preTokenizer.isByteLevel ? TokenizerFile.written($0) : String(decoding: $0, as: UTF8.self)
                }
                // By bytes, since strings compare equal when they are canonically equivalent.
                let isEqual = written.map { Array($0.utf8) } == expected.map { Array($0.utf8) }
                #expect(isEqual, "\(form.name), \(text.debugDescription): \(written) instead of \(expected)")
            }
        }
    }

    @Test("Metaspace with the scheme first leaves text alone that does not begin the original text")
    func prependingDependsOnThePlaceOfTheText() throws {
        let first = try loadPreTokenizer(["type": "Metaspace", "replacement": "_", "prepend_scheme": "first"])
        #expect(first.pieces(of: "a b", isFirst: true) == [Array("_a".utf8), Array("_b".utf8)])
        #expect(first.pieces(of: "a b", isFirst: false) == [Array("a".utf8), Array("_b".utf8)])
        let always = try loadPreTokenizer(["type": "Metaspace", "replacement": "_"])
        #expect(always.pieces(of: "a", isFirst: false) == [Array("_a".utf8)])
    }

    @Test("A long text without a place to split becomes one piece") func longTextsAreOnePiece() throws {
        let text = String(repeating: "a", count: 3_000_000)
        let forms: [Any] = [
            NSNull(), ["type": "Metaspace", "replacement": "_", "prepend_scheme": "never"],
            ["type": "Split", "pattern": ["String": " "], "behavior": "MergedWithPrevious", "invert": false],
            ["type": "ByteLevel", "add_prefix_space": false, "use_regex": true],
        ]
        for form in forms { #expect(try loadPreTokenizer(form).pieces(of: text) == [Array(text.utf8)]) }
    }
}

/// Loads a `pre_tokenizer` from a file that has nothing else.
func loadPreTokenizer(_ preTokenizer: Any) throws -> PreTokenizer {
    let directory = try TemporaryDirectory()
    let path = directory.file("tokenizer.json")
    let document = try JSONSerialization.data(withJSONObject: ["pre_tokenizer": preTokenizer])
    try document.write(to: URL(filePath: path))
    return try PreTokenizer(file: path)
}
