import Foundation
import TestSupport
import Testing
import Tokenization

/// Normalisation form C, seen through a tokenizer whose tokens are single bytes.
struct CanonicalCompositionTests {
    private func normalizer() throws -> (String) -> String {
        var file = TokenizerFile()
        file.document["normalizer"] = ["type": "Sequence", "normalizers": [["type": "NFC"]]] as [String: Any]
        let tokenizer = try file.load()
        return { tokenizer.decode(tokenizer.encode($0)) }
    }

    @Test func agreesWithTheReferenceImplementation() throws {
        let normalized = try normalizer()
        for (text, expected) in Self.examples {
            #expect(normalized(text).scalarValues == expected.scalarValues, "\(text.scalarValues)")
        }

        let texts = Self.examples.map(\.0).joined(separator: "\0")
        #expect(normalized(texts).scalarValues == Self.examples.map(\.1).joined(separator: "\0").scalarValues)
    }

    /// On single scalars the library is right, so it can be asked about each.
    @Test func agreesWithTheLibraryOnEverySingleScalar() throws {
        var text = ""
        var expected = ""
        for scalar in (UInt32(0)...0x10FFFF).lazy.compactMap(Unicode.Scalar.init) {
            let isKnown = scalar.properties.age.map { $0.major <= 9 } ?? false
            text.unicodeScalars.append(scalar)
            expected += isKnown ? String(scalar).precomposedStringWithCanonicalMapping : String(scalar)
            // A scalar that combines with nothing keeps the others apart.
            text += "\0"
            expected += "\0"
        }

        let actual = Array(try normalizer()(text).utf8)
        #expect(actual == Array(expected.utf8))
    }

    @Test func takesLongRunsOfMarks() throws {
        let marks = String(repeating: "\u{301}\u{323}", count: 50_000)
        let expected =
            "\u{1EA1}" + String(repeating: "\u{323}", count: 49_999) + String(repeating: "\u{301}", count: 50_000)
        #expect(Array(try normalizer()("a" + marks).utf8) == Array(expected.utf8))
    }

    /// Made with version 0.23 of the reference implementation.
    private static let examples: [(String, String)] = [
        ("e\u{301}", "\u{E9}"),
        ("\u{1E9B}\u{323}", "\u{1E9B}\u{323}"),
        ("\u{1E9B}\u{307}\u{323}", "\u{1E9B}\u{323}\u{307}"),
        ("\u{212B}", "\u{C5}"),
        ("\u{2126}", "\u{3A9}"),
        ("\u{C5}", "\u{C5}"),
        ("A\u{30A}", "\u{C5}"),
        ("q\u{307}\u{323}", "q\u{323}\u{307}"),
        ("q\u{323}\u{307}", "q\u{323}\u{307}"),
        ("d\u{323}\u{307}", "\u{1E0D}\u{307}"),
        ("d\u{307}\u{323}", "\u{1E0D}\u{307}"),
        ("\u{1100}\u{1161}", "\u{AC00}"),
        ("\u{1100}\u{1161}\u{11A8}", "\u{AC01}"),
        ("\u{AC00}\u{11A8}", "\u{AC01}"),
        ("\u{AC01}\u{11A8}", "\u{AC01}\u{11A8}"),
        ("\u{AC00}\u{11A7}", "\u{AC00}\u{11A7}"),
        ("\u{1100}\u{D7B0}", "\u{1100}\u{D7B0}"),
        ("\u{958}", "\u{915}\u{93C}"),
        ("\u{915}\u{93C}", "\u{915}\u{93C}"),
        ("\u{2ADC}", "\u{2ADD}\u{338}"),
        ("\u{FB1D}", "\u{5D9}\u{5B4}"),
        ("\u{2F800}", "\u{4E3D}"),
        ("\u{1D15E}", "\u{1D157}\u{1D165}"),
        ("\u{F73}", "\u{F71}\u{F72}"),
        ("a\u{F73}\u{301}", "\u{E1}\u{F71}\u{F72}"),
        ("\u{F71}\u{F72}\u{F74}", "\u{F71}\u{F72}\u{F74}"),
        ("\u{344}", "\u{308}\u{301}"),
        ("\u{308}\u{301}", "\u{308}\u{301}"),
        ("u\u{308}\u{301}", "\u{1D8}"),
        ("\u{1D7}", "\u{1D7}"),
        ("\u{1025}\u{102E}", "\u{1026}"),
        ("\u{BC6}\u{BBE}", "\u{BCA}"),
        ("\u{1113}1\u{1112}7", "\u{1113}1\u{1112}7"),
        ("\u{11131}\u{11127}", "\u{1112E}"),
        ("a\u{327}\u{301}\u{323}", "\u{1EA1}\u{327}\u{301}"),
        ("e\u{301}\u{301}", "\u{E9}\u{301}"),
        ("\u{301}e", "\u{301}e"),
        ("\u{387}", "\u{B7}"),
        ("\u{1FEE}", "\u{385}"),
        ("\u{300}\u{341}", "\u{300}\u{301}"),
        ("\u{11938}", "\u{11938}"),
        ("\u{11935}\u{11930}", "\u{11935}\u{11930}"),
        ("a\u{10F46}\u{301}", "a\u{10F46}\u{301}"),
        ("\u{F900}", "\u{8C48}"),
        ("\u{3099}\u{304B}\u{3099}", "\u{3099}\u{304C}"),
    ]
}
