/// How strictly a language model's answers are read. A run stores it in its configuration, so that reproducing it reads
/// them alike.
package enum AnswerReading: Int, Sendable, Codable {
    /// The content is the answer, letter for letter: the default for runs whose configuration does not say.
    case exact = 1
    /// Closed think blocks before the answer and one code fence around it are removed (``UnwrappedAnswer``), and the
    /// letter case of fixed words does not matter: of keys, categories, `true` and `false`.
    case unwrapped = 2
}
