/// The tokens of a passage that a context shows: as many as requested, within the passage, with more text before the
/// peak than after it, since a decoder's features depend on what precedes. The view `context` computes the same.
package enum ContextWindow {
    /// The window around a token.
    ///
    /// - Parameters:
    ///   - position: The peak token in the passage, 0 ..< `passageLength`.
    ///   - passageLength: Tokens of the passage.
    ///   - length: Tokens asked for.
    @inlinable
    package static func range(around position: Int, in passageLength: Int, length: Int) -> Range<Int> {
        let end = min(max(position + 1 + length / 4, length), passageLength)
        return max(end - length, 0)..<end
    }
}
