/// A regular expression of a tokenizer, which finds the matches that Oniguruma finds, in time that is bounded by the size
/// of the program times that of the text.
package struct TextPattern: Sendable {
    /// Holds the program, so that a search retains one object.
    final class Storage: Sendable {
        let program: PatternProgram

        init(_ program: PatternProgram) { self.program = program }
    }

    private let storage: Storage

    /// - Throws: `PatternError` with the place of what is wrong or not supported.
    package init(_ regularExpression: String) throws(PatternError) {
        storage = Storage(try PatternCompiler.compile(PatternParser.parse(regularExpression)))
    }

    /// Takes a tree.
    init(_ node: PatternNode) throws(PatternError) { storage = Storage(try PatternCompiler.compile(node)) }

    /// Calls `body` with the matches in valid UTF-8 from left to right, of which no two overlap.
    ///
    /// An empty match counts unless it stands at the end of the match before it; after an empty match the search goes on
    /// behind the next scalar, as in the reference implementation (crate `onig`, `find_iter`). An empty text has none.
    package func forEachMatch(in text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        guard let bytes = text.baseAddress, !text.isEmpty else { return }
        // Most pieces of earlier steps have no match of later ones.
        guard storage.program.isNullable || text.contains(where: storage.program.firstBytes[0].contains) else { return }
        storage.program.instructions.withUnsafeBufferPointer { code in
            storage.program.classes.bits.withUnsafeBufferPointer { bits in
                storage.program.firstBytes.withUnsafeBufferPointer { firstBytes in
                    guard let code = code.baseAddress, let first = firstBytes.baseAddress else { return }
                    var machine = PatternMachine(
                        storage: storage, code: code, bits: bits, firstBytes: first, bytes: bytes, end: text.count)
                    machine.search(body)
                }
            }
        }
    }
}
