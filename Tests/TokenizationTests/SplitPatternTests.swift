import TestSupport
import Testing
import Tokenization

/// Where the known regular expressions cut. The pieces are those of version 0.23 of the reference implementation.
struct SplitPatternTests {
    struct Example: Sendable {
        let text: String
        let pieces: [String]

        init(_ text: String, _ pieces: [String]) {
            self.text = text
            self.pieces = pieces
        }
    }

    private static let gpt2 = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
    private static let cl100k =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"#
        + #" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    private static let cl100kPossessive =
        #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}|"#
        + #" ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"#
    private static let qwen2 =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|"#
        + #" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    private static let o200k =
        #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"#
        + #"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+"#
        + #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}|"#
        + #" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

    private static var byteLevel: [String: Any] {
        ["type": "ByteLevel", "add_prefix_space": false, "use_regex": false]
    }

    private static func split(_ expression: String, behavior: String = "Isolated", invert: Bool = false) -> [String:
        Any]
    {
        ["type": "Split", "pattern": ["Regex": expression], "behavior": behavior, "invert": invert]
    }

    /// Every expected piece is a token that is taken whole, so other pieces would show as other tokens.
    private func check(_ examples: [Example], _ steps: [[String: Any]]) throws {
        for example in examples {
            var file = TokenizerFile()
            file.preTokenizer = ["type": "Sequence", "pretokenizers": steps] as [String: Any]
            file.model["ignore_merges"] = true
            for piece in Set(example.pieces.map { Array($0.utf8) }) where piece.count > 1 {
                file.addToVocabulary(String(decoding: piece, as: UTF8.self))
            }

            let tokenizer = try file.load()
            let tokens = tokenizer.encode(example.text).map(tokenizer.bytes(of:))
            #expect(tokens == example.pieces.map { Array($0.utf8) }, "\(example.text.scalarValues)")
        }
    }

    @Test func gpt2() throws {
        let ownSplit: [String: Any] = ["type": "ByteLevel", "add_prefix_space": false, "use_regex": true]
        try check(Self.gpt2Examples, [ownSplit])
        try check(Self.gpt2Examples, [["type": "ByteLevel", "add_prefix_space": false]])
        try check(Self.gpt2Examples, [Self.split(Self.gpt2), Self.byteLevel])
    }

    @Test func cl100k() throws {
        try check(Self.cl100kExamples, [Self.split(Self.cl100k), Self.byteLevel])
        try check(Self.cl100kExamples, [Self.split(Self.cl100kPossessive), Self.byteLevel])
        try check(Self.cl100kExamples, [Self.split(Self.cl100k, behavior: "Removed", invert: true), Self.byteLevel])
    }

    @Test func qwen2() throws {
        // Apart from digits it is the rule of cl100k.
        let alike = Self.cl100kExamples.filter { !$0.text.unicodeScalars.contains { $0.properties.numericType != nil } }
        #expect(alike.count > 8)
        try check(alike + Self.qwen2Examples, [Self.split(Self.qwen2), Self.byteLevel])
    }

    @Test func o200k() throws {
        try check(Self.o200kExamples, [Self.split(Self.o200k), Self.byteLevel])
    }

    @Test func digits() throws {
        try check(Self.digitExamples, [["type": "Digits", "individual_digits": true], Self.byteLevel])
        try check(Self.digitRunExamples, [["type": "Digits", "individual_digits": false], Self.byteLevel])
    }

    /// Later steps see the pieces of earlier ones, so a lookahead ends with its piece.
    @Test("Each splitting step sees the pieces of the one before") func stepsFollowEachOther() throws {
        let nested: [String: Any] = [
            "type": "Sequence", "pretokenizers": [["type": "Digits", "individual_digits": true]],
        ]
        try check(
            [Example("ab  12 c", ["ab", "  ", "1", "2", " c"]), Example("  1", ["  ", "1"])],
            [nested, Self.split(Self.cl100k), Self.byteLevel]
        )
    }

    @Test func prefixSpaceIsAddedToEveryStretch() throws {
        var file = TokenizerFile()
        file.preTokenizer = ["type": "ByteLevel", "add_prefix_space": true, "use_regex": true] as [String: Any]
        let added = file.add("<x>")
        let tokenizer = try file.load()
        #expect(tokenizer.encode("a<x>b c<x> d") == [32, 97, added, 32, 98, 32, 99, added, 32, 100])
        #expect(tokenizer.encode("") == [])
        #expect(tokenizer.encode("\n") == [32, 10])
    }

    private static let gpt2Examples = [
        Example("Hello world", ["Hello", " world"]),
        Example(
            "I'll we've you're he'd I'M it's 's",
            ["I", "'ll", " we", "'ve", " you", "'re", " he", "'d", " I", "'", "M", " it", "'s", " '", "s"]),
        Example("  two spaces", [" ", " two", " spaces"]),
        Example("tab\tthen\t\tmore", ["tab", "\t", "then", "\t", "\t", "more"]),
        Example("line\n\nbreak \n end ", ["line", "\n", "\n", "break", " \n", " end", " "]),
        Example("x123 456789", ["x", "123", " 456789"]),
        Example("hi!!! ...ok", ["hi", "!!!", " ...", "ok"]),
        Example("\u{A0}nbsp \u{3000}wide", ["\u{A0}", "nbsp", " ", "\u{3000}", "wide"]),
        Example("na\u{EF}ve \u{4E2D}\u{6587}", ["na\u{EF}ve", " \u{4E2D}\u{6587}"]),
        Example("a\u{301}b", ["a", "\u{301}", "b"]),
        Example("\u{BD}\u{B2} \u{2167}", ["\u{BD}\u{B2}", " \u{2167}"]),
        Example("'", ["'"]),
        Example("''s", ["''", "s"]),
        Example("' s", ["'", " s"]),
        Example("   ", ["   "]),
        Example("\n", ["\n"]),
    ]

    private static let cl100kExamples = [
        Example(
            "I'LL we'Ve you'RE he'D I'm it'\u{17F} 'Sam",
            ["I", "'LL", " we", "'Ve", " you", "'RE", " he", "'D", " I", "'m", " it", "'\u{17F}", " '", "Sam"]),
        Example("(hello) \"quoted\"", ["(hello", ")", " \"", "quoted", "\""]),
        Example("12345678", ["123", "456", "78"]),
        Example("x=1;\n\n\ty=2", ["x", "=", "1", ";\n\n", "\ty", "=", "2"]),
        Example("end.\r\n\r\nnext", ["end", ".\r\n\r\n", "next"]),
        Example("  \n  \n  x", ["  \n  \n", " ", " x"]),
        Example("a  b   c", ["a", " ", " b", "  ", " c"]),
        Example("!\n!\r\n\n", ["!\n", "!\r\n\n"]),
        Example("\tword", ["\tword"]),
        Example("\u{301}accent", ["\u{301}accent"]),
        Example("   ", ["   "]),
        Example("trailing   ", ["trailing", "   "]),
        Example("'\u{17F}'", ["'\u{17F}", "'"]),
        Example("'l 'v", ["'l", " '", "v"]),
        Example("\u{4E2D}\u{6587}123\u{BD}\u{2167}456", ["\u{4E2D}\u{6587}", "123", "\u{BD}\u{2167}4", "56"]),
    ]

    private static let qwen2Examples = [
        Example("12345", ["1", "2", "3", "4", "5"]),
        Example("\u{661}\u{662} x1y2", ["\u{661}", "\u{662}", " x", "1", "y", "2"]),
    ]

    private static let o200kExamples = [
        Example("HTTPServer", ["HTTPServer"]),
        Example("iPhone", ["i", "Phone"]),
        Example("camelCaseWORDS", ["camel", "Case", "WORDS"]),
        Example("ABC", ["ABC"]),
        Example("ABCdef's", ["ABCdef's"]),
        Example("DON'T don't", ["DON'T", " don't"]),
        Example("path/to//\nfile", ["path", "/to", "//\n", "file"]),
        Example("a/\n/", ["a", "/\n/"]),
        Example("\u{301}\u{301}x", ["\u{301}\u{301}x"]),
        Example("A\u{301}B\u{301}", ["A\u{301}B\u{301}"]),
        Example("\u{1C5}x\u{1C5}", ["\u{1C5}x", "\u{1C5}"]),
        Example("\u{2B0}A\u{2B0}a", ["\u{2B0}A\u{2B0}a"]),
        Example("\u{4E2D}\u{6587}ABC\u{4E2D}", ["\u{4E2D}\u{6587}ABC\u{4E2D}"]),
        Example("X\u{4E2D}Y", ["X\u{4E2D}", "Y"]),
        Example("(ABC", ["(ABC"]),
        Example("(abc", ["(abc"]),
        Example(" A b", [" A", " b"]),
        Example("1234A", ["123", "4", "A"]),
        Example("'s 'S", ["'s", " '", "S"]),
        Example("\u{295}a A\u{295}", ["\u{295}a", " A\u{295}"]),
        Example("\u{AA}B", ["\u{AA}", "B"]),
        Example("!!\n/x", ["!!\n/", "x"]),
    ]

    private static let digitExamples = [
        Example("a12b345", ["a", "1", "2", "b", "3", "4", "5"]),
        Example("\u{BD}x\u{661}", ["\u{BD}", "x", "\u{661}"]),
        Example("12", ["1", "2"]),
        Example("no", ["no"]),
    ]

    private static let digitRunExamples = [
        Example("a12b345", ["a", "12", "b", "345"]),
        Example("\u{BD}x\u{661}", ["\u{BD}", "x", "\u{661}"]),
        Example("12", ["12"]),
        Example("no", ["no"]),
    ]
}
