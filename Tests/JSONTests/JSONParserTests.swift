import Foundation
import JSON
import Testing

@Suite struct JSONParserTests {
    private func parse(_ text: String, _ rules: JSONRules = .strict) throws -> JSONValue {
        try JSONParser.parse(Data(text.utf8), rules: rules)
    }

    @Test("Every kind of value is a document") func everyKindOfValueStandsAlone() throws {
        #expect(try parse("null") == .null)
        #expect(try parse(" true\n") == .boolean(true))
        #expect(try parse("\r\tfalse") == .boolean(false))
        #expect(try parse("0") == .integer(0))
        #expect(try parse(#""""#) == .string(""))
        #expect(try parse("[]") == .array([]))
        #expect(try parse("[ ]") == .array([]))
        #expect(try parse("{ }") == .object([:]))
        #expect(
            try parse(" { \"a\" : [ 1 , null ] , \"b\" : { } } ")
                == .object(["a": .array([.integer(1), .null]), "b": .object([:])]))
    }

    @Test func integersAreKeptExactly() throws {
        #expect(try parse("-0") == .integer(0))
        #expect(try parse("9007199254740993") == .integer(9_007_199_254_740_993))
        #expect(try parse("9223372036854775807") == .integer(.max))
        #expect(try parse("-9223372036854775808") == .integer(.min))
        #expect(try parse("9223372036854775808") == .unsigned(1 << 63))
        #expect(try parse("18446744073709551615") == .unsigned(.max))
        #expect(try parse("18446744073709551616") == .number(0x1p64))
        #expect(try parse("-9223372036854775809") == .number(-0x1p63))
        #expect(try parse("1" + String(repeating: "0", count: 300)) == .number(1e300))
    }

    @Test func otherNumbersAreTheNearestDouble() throws {
        for (text, value) in [
            ("1.0", 1), ("-0.0", 0), ("0.1", 0.1), ("1e0", 1), ("1E+2", 100), ("25e-1", 2.5), ("-1.5E-3", -0.0015),
            ("5e-324", .leastNonzeroMagnitude), ("1.7976931348623157e308", .greatestFiniteMagnitude), ("1e-999", 0),
            ("0e5", 0),
        ] as [(String, Double)] {
            #expect(try parse(text) == .number(value), "\(text)")
        }
        #expect(try parse("-0.0").double?.sign == .minus)
    }

    @Test("A whole number is an integer in any spelling") func aWholeNumberIsOneHoweverItIsWritten() throws {
        #expect(try parse("[7,7.0,70e-1]") == .array([.integer(7), .number(7), .number(7)]))
        for text in ["7", "7.0", "70e-1"] { #expect(try parse(text).wholeNumber == 7) }
        for text in ["7.5", "1e300", "18446744073709551615", "\"7\"", "true"] {
            #expect(try parse(text).wholeNumber == nil)
        }
        #expect(try parse("18446744073709551615").double == 0x1p64)
        #expect(try parse("\"7\"").double == nil)
    }

    @Test func escapesBecomeWhatTheyStandFor() throws {
        #expect(try parse(#""\"\\\/\b\f\n\r\t""#) == .string("\"\\/\u{8}\u{C}\n\r\t"))
        #expect(try parse(#""\u0041\u00e9\u00E9\uFFFF\u0000""#) == .string("Aéé\u{FFFF}\u{0}"))
        #expect(try parse(#""x\ud83d\ude00y""#) == .string("x😀y"))
        #expect(try parse("\"é😀\u{7F}\u{2028}\"") == .string("é😀\u{7F}\u{2028}"))
    }

    @Test func membersKeepTheirOrder() throws {
        guard case .object(let object) = try parse(#"{"b":1,"a":2,"":3}"#) else {
            Issue.record("no object")
            return
        }
        #expect(object.members.map(\.name) == ["b", "a", ""])
        #expect(object["a"] == .integer(2))
        #expect(object["c"] == nil)
    }

    @Test("Canonically equivalent names differ") func namesThatAreCanonicallyEquivalentAreTwo() throws {
        guard case .object(let object) = try parse("{\"\u{E9}\":1,\"e\u{301}\":2}") else {
            Issue.record("no object")
            return
        }
        #expect(object.members.map(\.value) == [.integer(1), .integer(2)])
    }

    @Test("Where repeated names are allowed the last counts")
    func ofRepeatedNamesTheLastCountsWhereTheyAreTaken() throws {
        let value = try parse(#"{"a":1,"b":2,"a":3,"c":4,"a":5}"#, .lenient)
        guard case .object(let object) = value else {
            Issue.record("no object")
            return
        }
        #expect(object.members.map(\.name) == ["a", "b", "c"])
        #expect(object.members.map(\.value) == [.integer(5), .integer(2), .integer(4)])
    }

    @Test("A byte-order mark is accepted where the rules allow it")
    func aByteOrderMarkIsTakenWhereTheRulesSaySo() throws {
        #expect(try parse("\u{FEFF}[1]", .lenient) == .array([.integer(1)]))
        #expect(throws: JSONProblem(rule: .noValue, offset: 3)) { try parse("\u{FEFF}\u{FEFF}1", .lenient) }
    }

    @Test("Infinity is accepted where the rules allow it") func anInfinityIsTakenWhereTheRulesSaySo() throws {
        var rules = JSONRules.strict
        rules.takesInfiniteNumbers = true
        #expect(try parse("[1e999,-1e999]", rules) == .array([.number(.infinity), .number(-.infinity)]))
    }

    @Test("The letter case of literals is ignored where the rules allow it")
    func theCaseOfWordsIsIgnoredWhereTheRulesSaySo() throws {
        var rules = JSONRules.strict
        rules.ignoresCaseOfWords = true
        #expect(
            try parse("[True,FALSE,nULL,true]", rules)
                == .array([.boolean(true), .boolean(false), .null, .boolean(true)]))
        // 0x14 is 'T' without a bit, and no letter.
        #expect(throws: JSONProblem(rule: .noValue, offset: 0)) { try parse("\u{14}rue", rules) }
        #expect(throws: JSONProblem(rule: .noValue, offset: 0)) { try parse("T\u{12}ue", rules) }
    }

    @Test func aMemberIsLookedUpInObjectsOnly() throws {
        let value = try parse(#"{"a":{"b":[1]}}"#)
        #expect(value["a"]?["b"] == .array([.integer(1)]))
        #expect(value["a"]?["b"]?["c"] == nil)
        #expect(JSONValue.null["a"] == nil)
    }
}
