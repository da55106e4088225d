import Foundation
import JSON
import Testing

/// One malformed text for every rule, with the offset of the violation.
@Suite struct JSONProblemTests {
    struct Malformed: CustomTestStringConvertible, Sendable {
        let text: String
        let rule: JSONProblem.Rule
        let offset: Int
        var testDescription: String { text }

        init(_ text: String, _ rule: JSONProblem.Rule, _ offset: Int) {
            (self.text, self.rule, self.offset) = (text, rule, offset)
        }
    }

    static let texts = [
        Malformed("", .endsEarly, 0),
        Malformed("  ", .endsEarly, 2),
        Malformed("[1,", .endsEarly, 3),
        Malformed(#"{"a":"#, .endsEarly, 5),
        Malformed("nul", .noValue, 0),
        Malformed("True", .noValue, 0),
        Malformed("NaN", .noValue, 0),
        Malformed("+1", .noValue, 0),
        Malformed(".5", .noValue, 0),
        Malformed("[1,]", .noValue, 3),
        Malformed("[,1]", .noValue, 1),
        Malformed("'a'", .noValue, 0),
        Malformed("\u{FEFF}1", .noValue, 0),
        Malformed("/* a */ 1", .noValue, 0),
        Malformed("\u{A0}1", .noValue, 0),
        Malformed("\u{B}1", .noValue, 0),
        Malformed("1 2", .textAfterEnd, 2),
        Malformed("{}}", .textAfterEnd, 2),
        Malformed("nullnull", .textAfterEnd, 4),
        Malformed(#""a" ,"#, .textAfterEnd, 4),
        Malformed("{1:2}", .noName, 1),
        Malformed("{", .noName, 1),
        Malformed(#"{"a":1,}"#, .noName, 7),
        Malformed("{a:1}", .noName, 1),
        Malformed(#"{"a" 1}"#, .noColon, 5),
        Malformed(#"{"a"}"#, .noColon, 4),
        Malformed(#"{"a":1,"b":{"a":2},"a":3}"#, .repeatedName("a"), 19),
        Malformed(#"{"a":1,"\u0061":3}"#, .repeatedName("a"), 7),
        Malformed(#"{"a":1 "b":2}"#, .openObject, 7),
        Malformed(#"{"a":1"#, .openObject, 6),
        Malformed(#"{"a":1]"#, .openObject, 6),
        Malformed("[1 2]", .openArray, 3),
        Malformed("[1", .openArray, 2),
        Malformed("[1}", .openArray, 2),
        Malformed("-", .noDigit, 1),
        Malformed("-a", .noDigit, 1),
        Malformed("- 1", .noDigit, 1),
        Malformed("1.", .noDigit, 2),
        Malformed("1.e3", .noDigit, 2),
        Malformed("1e", .noDigit, 2),
        Malformed("1e+", .noDigit, 3),
        Malformed("1e-x", .noDigit, 3),
        Malformed("01", .leadingZero, 0),
        Malformed("-00.5", .leadingZero, 1),
        Malformed("1e999", .numberOutOfRange, 0),
        Malformed("[-1e999]", .numberOutOfRange, 1),
        Malformed(#""abc"#, .openString, 4),
        Malformed("\"a\nb\"", .controlCharacter, 2),
        Malformed("\"\u{0}\"", .controlCharacter, 1),
        Malformed("\"\u{1F}\"", .controlCharacter, 1),
        Malformed(#""a\x""#, .unknownEscape, 3),
        Malformed(#""\U0041""#, .unknownEscape, 2),
        Malformed(#""\"#, .unknownEscape, 2),
        Malformed(#""\u00g0""#, .noHexadecimalDigit, 5),
        Malformed(#""\u+041""#, .noHexadecimalDigit, 3),
        Malformed(#""\u00""#, .openEscape, 5),
        Malformed(#""\u004"#, .openEscape, 6),
        Malformed(#""\ud800""#, .halfSurrogate, 7),
        Malformed(#""\udc00""#, .halfSurrogate, 7),
        Malformed(#""\ud800\n""#, .halfSurrogate, 7),
        Malformed(#""\ud800\u0041""#, .halfSurrogate, 13),
        Malformed(#""\ud800\ud800""#, .halfSurrogate, 13),
    ]

    @Test("Malformed text is refused with its position", arguments: texts)
    func aMalformedTextIsRefusedWhereItBreaksARule(_ malformed: Malformed) {
        #expect(throws: JSONProblem(rule: malformed.rule, offset: malformed.offset)) {
            try JSONParser.parse(Data(malformed.text.utf8))
        }
    }

    /// Every sequence that is not UTF-8: a stray continuation, a cut one, an overlong one, a surrogate, one beyond U+10FFFF.
    @Test(
        arguments: [[0x80], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xFF]] as [[UInt8]])
    func bytesThatAreNotUTF8AreRefused(_ bytes: [UInt8]) {
        let text = Data("[\"\\n".utf8) + Data(bytes) + Data("\"]".utf8)
        #expect(throws: JSONProblem(rule: .notUTF8, offset: 4)) { try JSONParser.parse(text) }
        #expect(throws: JSONProblem(rule: .noValue, offset: 0)) { try JSONParser.parse(Data(bytes)) }
    }

    @Test("Nesting that is too deep is refused at its bracket")
    func levelsBeyondTheMostAreRefusedAtTheirBracket() throws {
        let rules = JSONRules(maximumDepth: 3)
        #expect(try JSONParser.parse(Data("[[[1]]]".utf8), rules: rules).kind == "an array")
        #expect(try JSONParser.parse(Data("[[[]],[[]],[[]]]".utf8), rules: rules).kind == "an array")
        #expect(throws: JSONProblem(rule: .nestedTooDeeply(levels: 3), offset: 3)) {
            try JSONParser.parse(Data("[[[[]]]]".utf8), rules: rules)
        }
        #expect(throws: JSONProblem(rule: .nestedTooDeeply(levels: 3), offset: 11)) {
            try JSONParser.parse(Data(#"{"a":[{"b":{}}]}"#.utf8), rules: rules)
        }
        let hostile = Data(repeating: UInt8(ascii: "["), count: 1_000_000)
        #expect(throws: JSONProblem(rule: .nestedTooDeeply(levels: 64), offset: 64)) { try JSONParser.parse(hostile) }
    }

    @Test("Every rule has a malformed example and a message that says what was expected")
    func everyRuleHasAMalformedTextAndSaysBothWhatIsAndWhatWouldBeRight() {
        let rules = Self.texts.map(\.rule) + [.notUTF8, .nestedTooDeeply(levels: 1)]
        // The names of the cases, without what belongs to one text.
        let names = Set(rules.map { "\($0)".prefix { $0 != "(" } })
        #expect(names.count == 19)
        for rule in rules {
            let problem = JSONProblem(rule: rule, offset: 0)
            #expect(!problem.reason.isEmpty && !problem.expected.isEmpty)
        }
    }

    @Test("A prefix of a text is refused and never traps") func noPrefixOfATextIsOneAndNoneTraps() throws {
        let text = #"{"a":[1,-2.5e3,true,null,"\u00e9\ud83d\ude00\n"],"b":{"c":{}}}"#
        _ = try JSONParser.parse(Data(text.utf8))
        for length in 0..<text.utf8.count {
            #expect(throws: JSONProblem.self) { try JSONParser.parse(Data(text.utf8.prefix(length))) }
        }
    }
}
