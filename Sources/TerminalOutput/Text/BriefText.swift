/// Shortens messages that quote untrusted content of files.
package enum BriefText {
    /// The most characters of a word shown, half of them from its end.
    private static let wordLength = 240
    /// The most characters of a message shown, a third of them from its end, which has the remedy.
    private static let messageLength = 1500

    /// A message on one line for a person: hostile characters made visible, long words (and whatever has no space in it)
    /// shortened in the middle, and the whole, too.
    ///
    /// - Complexity: linear in the length of `text`.
    package static func of(_ text: String) -> String {
        var result: [Unicode.Scalar] = []
        var word: [Unicode.Scalar] = []
        for scalar in VisibleText.of(text).unicodeScalars {
            if scalar == " " {
                result += shortened(word, to: wordLength, tail: wordLength / 2)
                result.append(scalar)
                word.removeAll(keepingCapacity: true)
            } else {
                word.append(scalar)
            }
        }
        result += shortened(word, to: wordLength, tail: wordLength / 2)
        return String(String.UnicodeScalarView(shortened(result, to: messageLength, tail: messageLength / 3)))
    }

    /// The beginning and the end of a text that is longer than `length`, with a note of what was omitted.
    private static func shortened(_ scalars: [Unicode.Scalar], to length: Int, tail: Int) -> [Unicode.Scalar] {
        guard scalars.count > length else { return scalars }
        let mark = Array("…(\(scalars.count - length) more)…".unicodeScalars)
        return scalars.prefix(length - tail) + mark + scalars.suffix(tail)
    }
}
