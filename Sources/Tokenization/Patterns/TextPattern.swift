/// A regular expression of a tokenizer, which finds the matches that Oniguruma finds, in time that is bounded by the size
/// of the program times that of the text.
package struct TextPattern: Sendable {
    let program: PatternProgram

    /// - Throws: `PatternError` with the place of what is wrong or not supported.
    package init(_ regularExpression: String) throws(PatternError) {
        program = try PatternCompiler.compile(PatternParser.parse(regularExpression))
    }

    /// Takes a tree.
    init(_ node: PatternNode) throws(PatternError) { program = try PatternCompiler.compile(node) }

    /// Calls `body` with the matches in valid UTF-8 from left to right, of which no two overlap.
    ///
    /// An empty match counts unless it stands at the end of the match before it; after an empty match the search goes on
    /// behind the next scalar, as in the reference implementation (crate `onig`, `find_iter`). An empty text has none.
    package func forEachMatch(in text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        guard let bytes = text.baseAddress, !text.isEmpty else { return }
        program.instructions.withUnsafeBufferPointer { code in
            program.classes.bits.withUnsafeBufferPointer { bits in
                program.firstBytes.withUnsafeBufferPointer { firstBytes in
                    guard let code = code.baseAddress, let first = firstBytes.baseAddress else { return }
                    var machine = PatternMachine(
                        program: program, code: code, bits: bits, firstBytes: first, bytes: bytes, end: text.count)
                    machine.search(body)
                }
            }
        }
    }
}
