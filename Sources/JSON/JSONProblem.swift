/// Why some bytes are not JSON.
package struct JSONProblem: Error, Equatable {
    /// A rule of the grammar.
    package enum Rule: Equatable, Sendable {
        /// There is something where a value has to be.
        case noValue
        /// The text ends where a value has to be.
        case endsEarly
        /// Something follows the value.
        case textAfterEnd
        /// Arrays and objects are nested more deeply than allowed.
        case nestedTooDeeply(levels: Int)
        /// There is something where a name has to be.
        case noName
        /// A name has no colon behind it.
        case noColon
        /// An object has the same name twice.
        case repeatedName(String)
        /// A member is followed by neither a comma nor the end of the object.
        case openObject
        /// An element is followed by neither a comma nor the end of the array.
        case openArray
        /// A digit is missing.
        case noDigit
        /// A number has zeros before its first digit.
        case leadingZero
        /// A number overflows a double.
        case numberOutOfRange
        /// The text ends within a string.
        case openString
        /// A control character stands in a string instead of its escape.
        case controlCharacter
        /// A backslash is followed by none of the characters that it can escape.
        case unknownEscape
        /// `\u` is not followed by four hexadecimal digits.
        case noHexadecimalDigit
        /// The text ends within the four digits.
        case openEscape
        /// An unpaired half of a surrogate pair.
        case halfSurrogate
        /// A string has bytes that are not UTF-8.
        case notUTF8
    }

    /// The rule.
    package let rule: Rule
    /// The offset of the violation, in bytes from the beginning.
    package let offset: Int

    /// Names a rule and a place.
    package init(rule: Rule, offset: Int) {
        self.rule = rule
        self.offset = offset
    }

    /// What is wrong, as a phrase that quotes none of the text.
    package var reason: String {
        switch rule {
        case .noValue: "no value"
        case .endsEarly: "it ends too early"
        case .textAfterEnd: "text after the end"
        case .nestedTooDeeply: "nested too deeply"
        case .noName: "no key"
        case .noColon: "no colon after a key"
        case .repeatedName: "a key is repeated"
        case .openObject: "an object goes on without a comma"
        case .openArray: "an array goes on without a comma"
        case .noDigit, .leadingZero: "a malformed number"
        case .numberOutOfRange: "a number out of range"
        case .openString, .openEscape: "a string without an end"
        case .controlCharacter: "a control character in a string"
        case .unknownEscape, .noHexadecimalDigit: "an unknown escape"
        case .halfSurrogate: "half a surrogate pair"
        case .notUTF8: "invalid UTF-8"
        }
    }

    /// What was expected at the offset, as a phrase.
    package var expected: String {
        switch rule {
        case .noValue, .endsEarly: "a value"
        case .textAfterEnd: "the end of the document"
        case .nestedTooDeeply(let levels): "at most \(levels) levels"
        case .noName: "a name"
        case .noColon: "':'"
        case .repeatedName(let name): "a name other than \"\(name)\", which occurs before,"
        case .openObject: "'}'"
        case .openArray: "']'"
        case .noDigit: "a digit"
        case .leadingZero: "a number without leading zeros"
        case .numberOutOfRange: "a number in the range of doubles"
        case .openString, .controlCharacter: "the end of a string"
        case .unknownEscape: "an escape"
        case .noHexadecimalDigit, .openEscape: "a hexadecimal digit"
        case .halfSurrogate: "a pair of surrogates"
        case .notUTF8: "UTF-8"
        }
    }
}
