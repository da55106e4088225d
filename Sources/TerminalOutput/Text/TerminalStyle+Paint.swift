extension TerminalStyle {
    /// How some text stands out on a terminal with colours.
    package enum Paint: Hashable, Sendable {
        /// Heavier.
        case bold
        /// Paler.
        case dim
        /// Something went wrong.
        case red
        /// Something went well.
        case green
        /// Something to look at.
        case yellow
        /// A name or a link.
        case cyan
        /// On a warm background, from 1, hardly there, to 5, strongest.
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
            // Black on the pale to deep oranges of the 256-colour cube, legible whatever the terminal's own colours.
            case .intensity(let level): "30;48;5;\([230, 223, 216, 209, 202][min(max(level, 1), 5) - 1])"
            }
        }
    }

    /// The text, painted if the output has colours.
    package func paint(_ text: String, _ paint: Paint) -> String {
        hasColour && !text.isEmpty ? "\u{1B}[\(paint.parameters)m\(text)\u{1B}[0m" : text
    }
}
