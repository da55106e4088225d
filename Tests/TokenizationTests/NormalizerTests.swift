import Foundation
import TestSupport
import Testing
import Tokenization

/// Normalizers, seen through a tokenizer whose tokens are single bytes.
struct NormalizerTests {
    private func normalized(_ text: String, by normalizer: [String: Any]) throws -> String {
        let tokenizer = try TextTokenizerFile.bytes(normalizer: normalizer).load()
        return tokenizer.decode(tokenizer.encode(text))
    }

    @Test("Every normalizer agrees with the reference implementation", arguments: examples)
    func agrees(type: String, examples: [Example]) throws {
        for example in examples {
            let actual = try normalized(example.text, by: ["type": type])
            #expect(actual.scalarValues == example.expected.scalarValues, "\(example.text.scalarValues)")
        }
    }

    @Test("Replace takes matches from the left that do not overlap") func replaces() throws {
        for (text, expected) in [
            ("", ""), ("aba", "x"), ("ababa", "xba"), ("aabaab", "axab"), ("abab", "xb"), ("ab", "ab"),
            ("abaaba", "xx"), ("aababab", "axbab"),
        ] {
            let pattern: [String: Any] = ["type": "Replace", "pattern": ["String": "aba"], "content": "x"]
            #expect(try normalized(text, by: pattern) == expected, "\(text)")
            #expect(text.replacing("aba", with: "x") == expected, "\(text)")
        }
        let removed: [String: Any] = ["type": "Replace", "pattern": ["String": " "], "content": ""]
        #expect(try normalized(" a b ", by: removed) == "ab")
    }

    @Test("Replace takes linear time on repeated text") func replacesInLinearTime() throws {
        let pattern = String(repeating: "a", count: 20_000) + "b"
        let text = String(repeating: "a", count: 200_000)
        let replace: [String: Any] = ["type": "Replace", "pattern": ["String": pattern], "content": "x"]
        #expect(try normalized(text + "b", by: replace).utf8.count == 180_001)
    }

    @Test("Prepend and Strip change what they say") func prependsAndStrips() throws {
        #expect(try normalized("ab", by: ["type": "Prepend", "prepend": "_"]) == "_ab")
        #expect(try normalized("", by: ["type": "Prepend", "prepend": "_"]) == "")
        #expect(
            try normalized("\u{3000} a \n", by: ["type": "Strip", "strip_left": true, "strip_right": false]) == "a \n")
        #expect(
            try normalized("\u{3000} a \n", by: ["type": "Strip", "strip_left": false, "strip_right": true])
                == "\u{3000} a")
        #expect(try normalized(" \t", by: ["type": "Strip", "strip_left": true, "strip_right": true]) == "")
    }

    @Test("Steps of a Sequence are applied in order") func appliesSequences() throws {
        let steps: [[String: Any]] = [
            ["type": "Prepend", "prepend": "A"], ["type": "Lowercase"],
            ["type": "Replace", "pattern": ["String": "ab"], "content": "c"],
        ]
        #expect(try normalized("B", by: ["type": "Sequence", "normalizers": steps]) == "c")
    }

    /// The expected texts are those of tokenizers 0.23.3.
    @Test("Every match of a regular expression is replaced") func replacesMatches() throws {
        let cases: [(pattern: String, content: String, text: String, expected: String)] = [
            (" {2,}", "▁", "a  b   c d", "a▁b▁c d"), (" {2,}", "▁", "   ", "▁"), (" {2,}", "▁", "", ""),
            (#"[\r\n]+"#, "\n", "a\r\n\r\nb\n", "a\nb\n"), (#"(?<=a)\d*"#, "#", "a12a", "a#a#"),
            (#"(?<=a)\d*"#, "#", "b", "b"),
        ]
        for (pattern, content, text, expected) in cases {
            let step: [String: Any] = ["type": "Replace", "pattern": ["Regex": pattern], "content": content]
            #expect(try normalized(text, by: step) == expected, "\(pattern) in \(text)")
        }
    }

    @Test("A pattern of Replace that cannot be used is refused by name") func refusesExpressions() throws {
        let error = tokenizerError {
            _ = try normalized("", by: ["type": "Replace", "pattern": ["Regex": #"(a)\1"#], "content": " "])
        }
        #expect(error.map(String.init(describing:))?.contains("normalizer.pattern.Regex") == true)
        let empty = tokenizerError {
            _ = try normalized("", by: ["type": "Replace", "pattern": ["String": ""], "content": " "])
        }
        #expect(empty.map(String.init(describing:))?.contains("export_activations.py") == true)
    }

    /// A text and its normalised form.
    struct Example: Sendable, CustomTestStringConvertible {
        var text: String
        var expected: String
        var testDescription: String { text.scalarValues }

        init(_ pair: (String, String)) {
            (text, expected) = pair
        }
    }

    /// Made with version 0.23.3 of the reference implementation.
    private static let examples: [(String, [Example])] = pairs.map { ($0.0, $0.1.map(Example.init)) }

    private static let pairs: [(String, [(String, String)])] = [
        (
            "NFC",
            [
                ("e\u{301}\u{323}", "\u{1EB9}\u{301}"),
                ("\u{1100}\u{1161}\u{11A8}", "\u{AC01}"),
                ("\u{344}\u{F73}\u{958}", "\u{F71}\u{F72}\u{308}\u{301}\u{915}\u{93C}"),
                ("\u{1C5}\u{212B}\u{338F}", "\u{1C5}\u{C5}\u{338F}"),
                ("\u{301}a\u{323}\u{301}", "\u{301}\u{1EA1}\u{301}"),
                ("\u{2ADC}\u{374}", "\u{2ADD}\u{338}\u{2B9}"),
                ("\u{11131}\u{11127}\u{1DFA}", "\u{1112E}\u{1DFA}"),
            ]
        ),
        (
            "NFD",
            [
                ("e\u{301}\u{323}", "e\u{323}\u{301}"),
                ("\u{1E9B}\u{323}", "\u{17F}\u{323}\u{307}"),
                ("\u{AC01}\u{11A8}", "\u{1100}\u{1161}\u{11A8}\u{11A8}"),
                ("\u{344}\u{F73}\u{958}", "\u{F71}\u{F72}\u{308}\u{301}\u{915}\u{93C}"),
                ("\u{1C5}\u{212B}\u{338F}", "\u{1C5}A\u{30A}\u{338F}"),
                ("\u{2ADC}\u{374}", "\u{2ADD}\u{338}\u{2B9}"),
                ("\u{391}\u{3A3} \u{130}\u{1E9E}", "\u{391}\u{3A3} I\u{307}\u{1E9E}"),
            ]
        ),
        (
            "NFKC",
            [
                ("\u{FB01}\u{BD}\u{2460}\u{FF21}\u{FF76}\u{FF9E}", "fi1\u{2044}21A\u{30AC}"),
                ("e\u{301}\u{323}", "\u{1EB9}\u{301}"),
                ("\u{1E9B}\u{323}", "\u{1E69}"),
                ("\u{1100}\u{1161}\u{11A8}", "\u{AC01}"),
                ("\u{344}\u{F73}\u{958}", "\u{F71}\u{F72}\u{308}\u{301}\u{915}\u{93C}"),
                ("\u{1C5}\u{212B}\u{338F}", "D\u{17E}\u{C5}kg"),
                (
                    "\u{FDFA}",
                    "\u{635}\u{644}\u{649} \u{627}\u{644}\u{644}\u{647} \u{639}\u{644}\u{64A}\u{647} \u{648}\u{633}\u{644}\u{645}"
                ),
                ("\u{1D400}\u{1F12E}", "AWZ"),
                ("\u{3000}a\u{A0}", " a "),
                ("\u{301}a\u{323}\u{301}", "\u{301}\u{1EA1}\u{301}"),
                ("\u{2ADC}\u{374}", "\u{2ADD}\u{338}\u{2B9}"),
                ("\u{11131}\u{11127}\u{1DFA}", "\u{1112E}\u{1DFA}"),
            ]
        ),
        (
            "NFKD",
            [
                ("\u{FB01}\u{BD}\u{2460}\u{FF21}\u{FF76}\u{FF9E}", "fi1\u{2044}21A\u{30AB}\u{3099}"),
                ("e\u{301}\u{323}", "e\u{323}\u{301}"),
                ("\u{1E9B}\u{323}", "s\u{323}\u{307}"),
                ("\u{AC01}\u{11A8}", "\u{1100}\u{1161}\u{11A8}\u{11A8}"),
                ("\u{344}\u{F73}\u{958}", "\u{F71}\u{F72}\u{308}\u{301}\u{915}\u{93C}"),
                ("\u{1C5}\u{212B}\u{338F}", "Dz\u{30C}A\u{30A}kg"),
                (
                    "\u{FDFA}",
                    "\u{635}\u{644}\u{649} \u{627}\u{644}\u{644}\u{647} \u{639}\u{644}\u{64A}\u{647} \u{648}\u{633}\u{644}\u{645}"
                ),
                ("\u{1D400}\u{1F12E}", "AWZ"),
                ("\u{3000}a\u{A0}", " a "),
                ("\u{2ADC}\u{374}", "\u{2ADD}\u{338}\u{2B9}"),
                ("\u{391}\u{3A3} \u{130}\u{1E9E}", "\u{391}\u{3A3} I\u{307}\u{1E9E}"),
            ]
        ),
        (
            "Lowercase",
            [
                ("\u{FB01}\u{BD}\u{2460}\u{FF21}\u{FF76}\u{FF9E}", "\u{FB01}\u{BD}\u{2460}\u{FF41}\u{FF76}\u{FF9E}"),
                ("\u{1C5}\u{212B}\u{338F}", "\u{1C6}\u{E5}\u{338F}"),
                ("\u{391}\u{3A3} \u{130}\u{1E9E}", "\u{3B1}\u{3C3} i\u{307}\u{DF}"),
            ]
        ),
        (
            "StripAccents",
            [
                ("e\u{301}\u{323}", "e"),
                ("\u{1E9B}\u{323}", "\u{1E9B}"),
                ("\u{344}\u{F73}\u{958}", "\u{958}"),
                ("\u{301}a\u{323}\u{301}", "a"),
                ("\u{11131}\u{11127}\u{1DFA}", "\u{1DFA}"),
                ("\u{1CF2}\u{111C9}x\u{20DD}", "\u{111C9}x"),
            ]
        ),
        (
            "Nmt",
            [
                ("a\u{200B}\u{1}\u{FEFF}\u{2581}b\u{2028}", "a   b "),
                ("\u{4E2D}a\u{0}\u{AD}\u{FFFD}\u{9}b", "\u{4E2D}a\u{0}\u{AD}  b"),
            ]
        ),
        (
            "BertNormalizer",
            [
                ("\u{FB01}\u{BD}\u{2460}\u{FF21}\u{FF76}\u{FF9E}", "\u{FB01}\u{BD}\u{2460}\u{FF41}\u{FF76}\u{FF9E}"),
                ("e\u{301}\u{323}", "e"),
                ("\u{1E9B}\u{323}", "\u{17F}"),
                ("\u{AC01}\u{11A8}", "\u{1100}\u{1161}\u{11A8}\u{11A8}"),
                ("\u{344}\u{F73}\u{958}", "\u{915}"),
                ("\u{1C5}\u{212B}\u{338F}", "\u{1C6}a\u{338F}"),
                ("\u{3000}a\u{A0}", " a "),
                ("\u{301}a\u{323}\u{301}", "a"),
                ("\u{2ADC}\u{374}", "\u{2ADD}\u{2B9}"),
                ("\u{391}\u{3A3} \u{130}\u{1E9E}", "\u{3B1}\u{3C3} i\u{DF}"),
                ("\u{11131}\u{11127}\u{1DFA}", "\u{1DFA}"),
                ("a\u{200B}\u{1}\u{FEFF}\u{2581}b\u{2028}", "a\u{2581}b "),
                ("\u{4E2D}a\u{0}\u{AD}\u{FFFD}\u{9}b", " \u{4E2D} a b"),
            ]
        ),
    ]
}
