import TestSupport
import Testing
import Tokenization

/// Added tokens found in text before splitting. Expectations are from version 0.23 of the reference implementation.
struct AddedTokenTests {
    enum Part: Sendable, ExpressibleByStringLiteral, Equatable {
        case text([UInt8])
        case token([UInt8])

        init(stringLiteral text: String) { self = .text(Array(text.utf8)) }
        static func added(_ token: String) -> Part { .token(Array(token.utf8)) }
    }

    struct Example: Sendable {
        let text: String
        let parts: [Part]

        init(_ text: String, _ parts: [Part]) {
            self.text = text
            self.parts = parts
        }
    }

    @Test("Added tokens match as their flags say") func areFoundAsTheirFlagsSay() throws {
        var file = TokenizerFile()
        file.document["normalizer"] = ["type": "NFC"]
        file.add("<s>", special: true)
        file.add("<sx>", special: true)
        file.add("<l>", special: true, ["lstrip": true])
        file.add("<r>", special: true, ["rstrip": true])
        file.add("<lr>", special: true, ["lstrip": true, "rstrip": true])
        file.add("one", ["single_word": true])
        file.add("caf\u{E9}", ["normalized": true])
        for content in ["e\u{301}t\u{E9}", "ab", "abcd", "bcde"] { file.add(content) }
        let contents = file.addedTokens.map { $0["content"] as? String ?? "" }
        let tokenizer = try file.load()
        for example in Self.examples {
            var parts: [Part] = []
            for id in tokenizer.encode(example.text) {
                if id >= 256 {
                    parts.append(.added(contents[Int(id) - 256]))
                } else if case .text(let bytes) = parts.last {
                    parts[parts.count - 1] = .text(bytes + tokenizer.bytes(of: id))
                } else {
                    parts.append(.text(tokenizer.bytes(of: id)))
                }
            }
            #expect(parts == example.parts, "\(example.text.scalarValues)")
        }
    }

    private static let examples = [
        Example("<s>", [.added("<s>")]),
        Example("a<s>b<sx>c", ["a", .added("<s>"), "b", .added("<sx>"), "c"]),
        Example("<s><s>", [.added("<s>"), .added("<s>")]),
        Example("<sx", ["<sx"]),
        Example("a <l> b", ["a", .added("<l>"), " b"]),
        Example("a <r> b", ["a ", .added("<r>"), "b"]),
        Example("a \t<lr>\n b", ["a", .added("<lr>"), "b"]),
        Example(" <l> <l> ", [.added("<l>"), .added("<l>"), " "]),
        Example("<r>  <l>x", [.added("<r>"), .added("<l>"), "x"]),
        Example("<r>\u{3000}\u{A0}<r>", [.added("<r>"), .added("<r>")]),
        Example("one", [.added("one")]),
        Example("one two", [.added("one"), " two"]),
        Example("lone", ["lone"]),
        Example("one1", ["one1"]),
        Example("one\u{301}", ["on\u{E9}"]),
        Example("one.", [.added("one"), "."]),
        Example("(one)", ["(", .added("one"), ")"]),
        Example("_one", ["_one"]),
        Example("someone one", ["someone ", .added("one")]),
        Example("caf\u{E9}", [.added("caf\u{E9}")]),
        Example("cafe\u{301}", [.added("caf\u{E9}")]),
        Example("e\u{301}t\u{E9}", [.added("e\u{301}t\u{E9}")]),
        Example("\u{E9}t\u{E9}", ["\u{E9}t\u{E9}"]),
        Example("abc", [.added("ab"), "c"]),
        Example("abcde", [.added("abcd"), "e"]),
        Example("abcd", [.added("abcd")]),
        Example("ababcd", [.added("ab"), .added("abcd")]),
        Example("bcdeab", [.added("bcde"), .added("ab")]),
        Example("aabcde", ["a", .added("abcd"), "e"]),
    ]
}
