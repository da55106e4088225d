/// What a `JSONParser` accepts beyond RFC 8259, and its limits.
package struct JSONRules: Sendable {
    /// The maximum nesting of arrays and objects; it bounds the stack.
    package var maximumDepth: Int
    /// Accepts repeated names in an object, taking the last value, instead of refusing it.
    package var takesRepeatedNames = false
    /// Reads a number that overflows a double as an infinity instead of refusing it.
    package var takesInfiniteNumbers = false
    /// Accepts `True` for `true` and the like.
    package var ignoresCaseOfWords = false
    /// Accepts a byte-order mark before the value.
    package var ignoresByteOrderMark = false

    /// The rules of RFC 8259, with everything refused that it leaves open: repeated names, numbers out of range.
    ///
    /// - Parameter maximumDepth: the maximum nesting of arrays and objects.
    package init(maximumDepth: Int) { self.maximumDepth = maximumDepth }

    /// For untrusted input.
    package static let strict = JSONRules(maximumDepth: 64)

    /// For files of other programs: repeated names and a byte-order mark are accepted.
    package static let lenient = {
        var rules = JSONRules(maximumDepth: 512)
        rules.takesRepeatedNames = true
        rules.ignoresByteOrderMark = true
        return rules
    }()
}
