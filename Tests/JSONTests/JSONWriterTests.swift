import Foundation
import JSON
import Testing

@Suite struct JSONWriterTests {
    private func canonical(_ value: JSONValue) -> String { JSONWriter.canonical.text(value) }

    @Test func theCanonicalFormSortsMembersByTheirBytes() {
        let names = ["b", "a", "B", "a10", "a2", "é", "z", "\u{FF5E}", "😀", ""]
        let value = JSONValue.object(JSONObject(names.map { .init(name: $0, value: .null) }))
        #expect(
            canonical(value)
                == #"{"":null,"B":null,"a":null,"a10":null,"a2":null,"b":null,"z":null,"é":null,"～":null,"😀":null}"#)
        #expect(value.canonicalBytes == Data(canonical(value).utf8))
    }

    @Test("Equal numbers are spelled alike") func equalNumbersHaveOneSpelling() {
        for (value, text) in [
            (.integer(1), "1"), (.number(1), "1"), (.number(-0.0), "0"), (.number(1e15), "1000000000000000"),
            (.integer(.min), "-9223372036854775808"), (.unsigned(.max), "18446744073709551615"), (.number(0.1), "0.1"),
            (.number(1e300), "1e+300"), (.number(.leastNonzeroMagnitude), "5e-324"), (.number(-2.5), "-2.5"),
            (.number(1e-7), "1e-07"),
        ] as [(JSONValue, String)] {
            #expect(canonical(value) == text)
        }
    }

    @Test("Numbers that JSON lacks become null") func aNumberThatJSONDoesNotHaveIsNull() {
        #expect(canonical(.array([.number(.nan), .number(.infinity), .number(-.infinity)])) == "[null,null,null]")
        #expect(JSONValue(Double.nan) == .null)
        #expect(JSONValue(Float.infinity) == .null)
    }

    @Test("Only the required characters are escaped") func onlyWhatHasToBeIsEscaped() {
        #expect(
            canonical(.string("\"\\/\u{8}\u{C}\n\r\t\u{1}\u{1F} ~\u{7F}é\u{2028}😀"))
                == "\"\\\"\\\\/\\u0008\\u000c\\n\\r\\t\\u0001\\u001f ~\u{7F}é\u{2028}😀\"")
        #expect(canonical(.object(["a\n": .null])) == #"{"a\n":null}"#)
    }

    @Test("The writer escapes further characters as set") func furtherScalarsAreSpeltAsTheWriterIsTold() {
        var writer = JSONWriter()
        writer.escape = { scalar in
            switch scalar {
            case "\u{8}": "\\b"
            case "\u{2028}", "😀": JSONWriter.escaped(scalar)
            default: nil
            }
        }
        #expect(writer.text(.string("\u{8}\u{C}\n\u{2028}é😀")) == #""\b\u000c\n\u2028é\ud83d\ude00""#)
    }

    @Test func rowsKeepTheOrderOfTheirColumnsAndTheFractionsOfTheirDoubles() {
        var writer = JSONWriter()
        writer.sortsMembers = false
        writer.wholeDoubles = .withFraction
        let row: JSONValue = .object(["b": .number(1), "a": .integer(1), "c": .number(1e16), "d": .number(-0.0)])
        #expect(writer.text(row) == #"{"b":1.0,"a":1,"c":1e+16,"d":-0.0}"#)
        writer.wholeDoubles = .withoutFraction
        #expect(writer.text(row) == #"{"b":1,"a":1,"c":1e+16,"d":-0}"#)
        writer.wholeDoubles = .asIntegers
        #expect(writer.text(row) == #"{"b":1,"a":1,"c":10000000000000000,"d":0}"#)
    }

    @Test func anIndentedArrayOfPlainValuesStaysOnOneLine() {
        var writer = JSONWriter()
        writer.layout = .indented
        let value: JSONValue = .object([
            "b": .array([.integer(1), .array([]), .object([:])]), "a": .array([.object(["x": .null]), .integer(2)]),
            "d": .array([]), "c": .object([:]),
        ])
        #expect(
            writer.text(value) == """
                {
                  "a": [
                    {
                      "x": null
                    },
                    2
                  ],
                  "b": [1, [], {}],
                  "c": {},
                  "d": []
                }
                """)
    }

    /// What is written reads back to the same, and is then written the same.
    @Test("Reading and writing canonical JSON changes nothing") func theCanonicalFormIsAFixedPoint() throws {
        for text in [
            "null", #"{"z":[1,2.5,{"b":"\u0000\ud83d\ude00","a":""}],"A":18446744073709551615}"#, "-0.0", "1e22",
            "[1.0,1e2,12345678901234567890123]", #"{"\n":"\u00e9"}"#,
        ] {
            let value = try JSONParser.parse(Data(text.utf8))
            let once = value.canonicalBytes
            let back = try JSONParser.parse(once)
            #expect(back.canonicalBytes == once)
        }
    }

    @Test func doublesReadBackToTheSameBits() throws {
        var bits: UInt64 = 1
        for _ in 0..<2000 {
            bits = bits &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let value = Double(bitPattern: bits)
            guard value.isFinite else { continue }
            let back = try JSONParser.parse(JSONValue.number(value).canonicalBytes)
            #expect(back.double == value)
        }
    }

    @Test("Foundation reads the output") func foundationReadsWhatIsWritten() throws {
        let text = String(String.UnicodeScalarView((0..<0x3000).compactMap(Unicode.Scalar.init)))
        let written = JSONValue.array([.string(text)]).canonicalBytes
        #expect(try JSONDecoder().decode([String].self, from: written)[0].utf8.elementsEqual(text.utf8))
        #expect(try JSONParser.parse(written) == .array([.string(text)]))
    }

    @Test func anEncodableValueIsWrittenWithSortedKeys() throws {
        #expect(try canonicalJSON(["b": 1.0, "a/": 0.5]) == #"{"a/":0.5,"b":1}"#)
    }
}
