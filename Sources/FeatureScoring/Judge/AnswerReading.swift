/// How strictly a language model's answers are read. A run keeps it in its configuration, so that it is read again as it
/// was read first.
package enum AnswerReading: Int, Sendable, Codable {
    /// The content is the answer, letter for letter: how runs were read whose configuration says nothing.
    case exact = 1
    /// Closed think blocks before the answer and one code fence around it are taken off (``UnwrappedAnswer``), and the
    /// letter case of fixed words does not matter: of keys, categories, `true` and `false`.
    case unwrapped = 2
}
