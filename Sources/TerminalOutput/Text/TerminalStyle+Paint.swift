extension TerminalStyle {
    /// A highlight on a terminal with colours.
    package enum Paint: Hashable, Sendable {
        /// Bold.
        case bold
        /// Dim.
        case dim
        /// Red, for errors.
        case red
        /// Green, for success.
        case green
        /// Yellow, for warnings.
        case yellow
        /// Cyan, for names and links.
        case cyan
        /// A warm background, from 1, faint, to 5, strongest.
        case intensity(Int)

        /// The parameters of the escape sequence (ECMA-48, Select Graphic Rendition).
        fileprivate var parameters: String {
            switch self {
            case .bold: "1"
            case .dim: "2"
            case .red: "31"
            case .green: "32"
            case .yellow: "33"
            case .cyan: "36"
            // Black on the pale to deep oranges of the 256-colour cube, legible with any colours of the terminal.
            case .intensity(let level): "30;48;5;\([230, 223, 216, 209, 202][min(max(level, 1), 5) - 1])"
            }
        }
    }

    /// The text, painted if the output has colours.
    package func paint(_ text: String, _ paint: Paint) -> String {
        hasColour && !text.isEmpty ? "\u{1B}[\(paint.parameters)m\(text)\u{1B}[0m" : text
    }
}
