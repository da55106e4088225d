import Testing
import Tokenization

struct TextPatternTests {
    private func matches(_ expression: String, _ text: String) throws -> [String] {
        let bytes = Array(text.utf8)
        var found: [String] = []
        let pattern = try TextPattern(expression)
        bytes.withUnsafeBufferPointer { buffer in
            pattern.forEachMatch(in: buffer) { found.append(String(decoding: buffer[$0], as: UTF8.self)) }
        }
        return found
    }

    /// What version 0.23 of the reference implementation finds.
    private static let examples: [(expression: String, text: String, matches: [String])] = [
        ("a|ab", "ab", ["a"]), ("(?:a|ab)(?:c|bcd)", "abcd", ["abcd"]), ("a*", "baac", ["", "aa", ""]),
        ("(?:|a)+", "aab", ["", "", "", ""]), ("(?>a|ab)c", "abc ac", ["ac"]), ("a?+a", "aa a", ["aa"]),
        ("xa{2}?b", "xaab xb", ["xaab", "xb"]), ("a{2}+", "aaaaa", ["aaaa"]), ("a{,2}", "aaa", ["aa", "a"]),
        ("^a$", "a\nb\na", ["a", "a"]), (#"\n$"#, "a\n", ["\n"]), (#"a\Z"#, "a\na\n", ["a"]),
        (#"a\z"#, "a\na\n", []), (".", "\n", []), ("(?m).", "\n", ["\n"]), ("a(?i)b|c", "aB C c", ["aB"]),
        (#"(?i:k's)"#, "\u{212A}'\u{17F}", ["\u{212A}'\u{17F}"]), ("(?i)[^k]", "Kk\u{212A}x", ["x"]),
        ("(?<=a|bc)d", "ad bcd cd", ["d", "d"]), (#"(?<!\s)x"#, "x x", ["x"]), (#"\bab\b"#, "ab cab ab", ["ab", "ab"]),
        ("[a-c&&b-d]", "abcd", ["b", "c"]), ("[^a[^b]]", "abc", ["b"]), ("[]a]", "a]", ["a", "]"]),
        ("[a-]", "a-b", ["a", "-"]), ("[[:^alpha:]]", "a1", ["1"]),
        (#"\x{1F600}|\u4e2d"#, "\u{1F600}\u{4E2D}", ["\u{1F600}", "\u{4E2D}"]),
        (#"\w"#, "\u{BD}", ["\u{BD}"]), (#"[\w]"#, "\u{BD}", []), (#"\p{^Lu}\P{L}"#, "a1", ["a1"]),
        (#"\p{Han}+"#, "a\u{4E2D}\u{6587}\u{3042}", ["\u{4E2D}\u{6587}"]), (#"\R"#, "\r\n\n", ["\r\n", "\n"]),
        ("a{,}", "a{,}", ["a{,}"]), ("(?#c)a(?<n>b)", "ab", ["ab"]),
        (#"\d{1,3}(?=(?:\d{3})*\b)"#, "12345", ["12", "345"]),
    ]

    @Test("Matches are those of the reference implementation") func examples() throws {
        for example in Self.examples {
            #expect(try matches(example.expression, example.text) == example.matches, "\(example.expression)")
        }
    }

    @Test("Random expressions match as a naive backtracking matcher does") func agreesWithANaiveMatcher() throws {
        var generator = SeededGenerator(state: 5)
        for _ in 0..<4000 {
            let expression = NaiveExpression.random(depth: 3, using: &generator)
            let text = (0..<Int.random(in: 0...7, using: &generator)).map { _ in
                ["a", "b", "\u{E9}", "\n"].randomElement(using: &generator) ?? "a"
            }.joined()
            let found = try matches(expression.written, text)
            let expected = expression.matches(in: Array(text.unicodeScalars))
            #expect(found == expected, "\(expression.written) in \(text.debugDescription)")
        }
    }

    /// Expressions for which plain backtracking takes exponential or quadratic time.
    @Test(
        "Time and memory grow with the text, not faster",
        arguments: [
            "(?:a|aa)*b", "(?:a+)+b", "(?:(?:a|b)*c)*d", "(?:a*?)*?b", "a*b", ".*?b", "(?=.*x)a", "(?!.*x)b",
            "(?>a+)b", "(?>(?:a|b)+)c", #"(?>\w+)(?=.*z)"#, "(?=(?:a|b)*c)a",
        ])
    func timeIsBounded(_ expression: String) throws {
        #expect(try matches(expression, String(repeating: "a", count: 200_000)) == [])
    }

    private static let refusals: [(expression: String, isMalformed: Bool, words: String)] = [
        (#"(a)\1"#, false, "a back-reference at character 4"), (#"\k<n>"#, false, "a back-reference"),
        (#"\g<0>"#, false, "a call of a group"), ("(?(1)a)", false, "a condition"), ("(?~a)", false, "absence"),
        (#"\X"#, false, #"\X at character 1"#), (#"a\K"#, false, #"\K at character 2"#), (#"\G"#, false, #"\G"#),
        (#"\p{Klingon}"#, false, #"\p{Klingon}"#), ("(?x)a", false, "the option \"x\""),
        ("(?i)\u{E9}", false, "beyond ASCII"), ("(?i:ss)", false, "\"ss\""), ("(?<=a*)b", false, "no fixed length"),
        ("(?<=(?=a))b", false, "lookaround in a lookbehind"), ("a{1001}", false, "above 1000"),
        ("a{2,1}", false, "more to fewer"), ("(?:a?){2}", false, "a counted repetition of what may match the empty"),
        ("[^[^a]&&b]", false, "a negated class with &&"), ("(?:(?:(?:ab){99}){99}){99}", false, "too much repetition"),
        (#"\cA"#, false, "a control character"), (#"\xE4"#, false, "above 7F"), (#"[\101]"#, false, "octal"),
        (String(repeating: "(", count: 50), false, "inside more than"), (#"\x{D800}"#, false, "no character"),
        ("(a", true, "never closed at character 1"), ("a)", true, "an unmatched \")\" at character 2"),
        ("[a", true, "never closed"), ("[]", true, "an empty class"), ("*a", true, "without anything"),
        ("a|+", true, "without anything"), ("[z-a]", true, "from a higher"), (#"[a-\d]"#, true, "ends with a class"),
        (#"[\d-a]"#, true, "begins with a class"), ("[[:foo:]]", true, "[:foo:]"), ("\\", true, "at the end"),
        (#"\p{L"#, true, "without its"), (#"\u00"#, true, "incomplete"), ("^*", false, "behind an anchor"),
        ("(?=a)+", false, "behind an anchor"), ("(?<>a)", true, "proper name"), ("(?&a)", true, "unknown kind"),
    ]

    @Test("An expression is refused in one line with the place") func refusals() throws {
        for refusal in Self.refusals {
            let error = #expect(throws: PatternError.self, "\(refusal.expression)") {
                try TextPattern(refusal.expression)
            }
            guard let error else { continue }
            #expect(error.isMalformed == refusal.isMalformed, "\(refusal.expression): \(error)")
            let line = String(describing: error)
            #expect(line.contains(refusal.words) && !line.contains("\n"), "\(refusal.expression): \(line)")
        }
    }
}

/// A small generator with a seed.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 29
    }
}
