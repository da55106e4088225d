/// What a `JSONParser` takes beyond RFC 8259, and how much of it.
package struct JSONRules: Sendable {
    /// Levels of arrays and objects within each other that are read; it bounds the stack.
    package var maximumDepth: Int
    /// Takes an object that has a name twice, as the last of its values, instead of refusing it.
    package var takesRepeatedNames = false
    /// Takes a number that no finite double holds as an infinity instead of refusing it.
    package var takesInfiniteNumbers = false
    /// Takes `True` for `true` and the like.
    package var ignoresCaseOfWords = false
    /// Takes a byte-order mark before the value.
    package var ignoresByteOrderMark = false

    /// The rules of RFC 8259, with everything refused that it leaves open: repeated names, numbers out of range.
    ///
    /// - Parameter maximumDepth: levels of arrays and objects within each other that are read.
    package init(maximumDepth: Int) { self.maximumDepth = maximumDepth }

    /// For what a stranger sends.
    package static let strict = JSONRules(maximumDepth: 64)

    /// For files of other programs: repeated names and a byte-order mark, as others take them.
    package static let lenient = {
        var rules = JSONRules(maximumDepth: 512)
        rules.takesRepeatedNames = true
        rules.ignoresByteOrderMark = true
        return rules
    }()
}
