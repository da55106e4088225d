/// Tokens counted as one: those with equal text but for case and surrounding space.
package enum TokenClass {
    /// The text that names a token's class: trimmed and lowercased, as `text.strip().lower()` does in the reference.
    package static func text(of token: String) -> String {
        let scalars = token.unicodeScalars
        guard let first = scalars.firstIndex(where: { !isSpace($0) }),
            let last = scalars.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return String(scalars[first...last]).lowercased()
    }

    /// Unicode's White_Space, and the four separators U+001C…U+001F that Python also strips.
    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
    }
}
