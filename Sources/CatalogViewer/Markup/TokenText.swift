import TerminalOutput

/// Text of tokens, which can hold anything, on a page.
enum TokenText {
    /// The most characters shown of a token; the middle of a longer one is left out.
    private static let longest = 160

    /// A token's text: on one line, invisible characters visible, a very long one shortened.
    ///
    /// - Parameter longest: characters that it may have.
    static func shown(_ token: String, longest: Int = longest) -> String {
        var scalars = Array(token.unicodeScalars.prefix(longest + 1))
        var rest: [Unicode.Scalar] = []
        if scalars.count > longest {
            let all = token.unicodeScalars
            rest = Array("…(\(all.count - longest) more)…".unicodeScalars) + all.suffix(longest / 2)
            scalars = Array(scalars.prefix(longest - longest / 2))
        }
        var text = String.UnicodeScalarView()
        for scalar in scalars + rest {
            if isInvisible(scalar) {
                let digits = String(scalar.value, radix: 16, uppercase: true)
                text += "<U+\(String(repeating: "0", count: max(0, 4 - digits.utf8.count)))\(digits)>".unicodeScalars
            } else {
                text.append(scalar)
            }
        }
        return VisibleText.of(String(text))
    }

    /// Text as it is shown, the signs for line ends pale.
    ///
    /// - Parameter breaksLines: whether a line ends behind them as well.
    static func running(_ shown: String, breaksLines: Bool = false) -> HTML {
        let lines = shown.split(separator: "⏎", omittingEmptySubsequences: false)
        var html: HTML = "\(String(lines[0]))"
        for line in lines.dropFirst() {
            html += breaksLines ? "<i class=\"nl\">⏎</i>\n" : "<i class=\"nl\">⏎</i>"
            html += "\(String(line))"
        }
        return html
    }

    /// A token by itself, as in a list: the space around it made visible.
    static func alone(_ token: String) -> HTML {
        let text = shown(token)
        guard !text.isEmpty else { return "<span class=\"tok\"><i>␣</i></span>" }
        let body = text.drop { $0 == " " }
        let start = HTML(repeatElement("<i>␣</i>" as HTML, count: min(8, text.count - body.count)))
        return "<span class=\"tok\">\(start)\(String(body))</span>"
    }

    /// Whether a character takes no room, so that a text with it looks like one without.
    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0xAD, 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B...0x180F, 0x200B...0x200F, 0x2060...0x206F, 0x3164,
            0xFE00...0xFE0F, 0xFEFF, 0xFFA0:
            true
        default: false
        }
    }

    /// The class of an activation, `a0` to `a9` by its share of the largest; nil where it does not fire.
    static func intensity(_ activation: Float, of maximum: Float) -> String? {
        guard activation > 0, activation.isFinite, maximum > 0 else { return nil }
        let share = min(1, activation / maximum)
        return "a\(min(9, max(0, Int((share * 10).rounded(.up)) - 1)))"
    }
}
