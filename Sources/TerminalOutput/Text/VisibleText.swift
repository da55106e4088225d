/// Replaces characters that act on a terminal by visible ones.
package enum VisibleText {
    /// The text on one line: `⏎` for a line feed, `→` for a tab, a control picture such as `␛` for another control
    /// character, and `<U+202E>` for characters without a picture.
    ///
    /// - Parameters:
    ///   - text: text from anywhere.
    ///   - keepingLines: leaves line feeds as they are.
    package static func of(_ text: String, keepingLines: Bool = false) -> String {
        guard text.unicodeScalars.contains(where: isHostile) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += keepingLines ? "\n" : "⏎"
            case "\t": result += "→"
            default:
                if !isHostile(scalar) {
                    result.unicodeScalars.append(scalar)
                } else if scalar.value < 0x20, let picture = Unicode.Scalar(0x2400 + scalar.value) {
                    result.unicodeScalars.append(picture)
                } else if scalar.value == 0x7F {
                    result += "␡"
                } else {
                    let digits = String(scalar.value, radix: 16, uppercase: true)
                    result += "<U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + ">"
                }
            }
        }
        return result
    }

    /// Whether a scalar moves the cursor, starts an escape sequence, ends a line or changes the text direction.
    static func isHostile(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00...0x1F, 0x7F...0x9F, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFFF9...0xFFFB,
            0xE0000...0xE007F:
            true
        default:
            false
        }
    }
}
