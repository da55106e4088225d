import TerminalOutput

/// Builds a page of text: a title, fields, sections.
struct PageText {
    /// The text so far, each line ended.
    var text = ""
    /// The output's capabilities.
    let style: TerminalStyle

    private static let nameWidth = 12

    init(style: TerminalStyle) {
        self.style = style
    }

    /// Adds the title line.
    mutating func title(_ line: String) {
        text += style.paint(VisibleText.of(line), .bold) + "\n"
    }

    /// Adds a field; nothing if its value is empty. On a terminal long text wraps with indentation.
    mutating func field(_ name: String, _ value: String, paint: TerminalStyle.Paint? = nil) {
        guard !value.isEmpty else { return }
        let margin = String(repeating: " ", count: Self.nameWidth)
        let lines = Self.wrap(VisibleText.of(value), to: style.width.map { max(20, $0 - Self.nameWidth) })
        for (index, line) in lines.enumerated() {
            let padding = String(repeating: " ", count: max(1, Self.nameWidth - DisplayWidth.of(name)))
            text += index == 0 ? style.paint(name, .dim) + padding : margin
            text += (paint.map { style.paint(line, $0) } ?? line) + "\n"
        }
    }

    /// A heading with an empty line before it.
    mutating func section(_ heading: String, remark: String = "") {
        text += "\n" + style.paint(VisibleText.of(heading), .bold)
        text += (remark.isEmpty ? "" : "  " + style.paint(VisibleText.of(remark), .dim)) + "\n"
    }

    /// Wraps text at spaces; a longer word is broken anywhere.
    static func wrap(_ text: String, to width: Int?) -> [String] {
        guard let width, DisplayWidth.of(text) > width else { return [text] }
        var lines: [String] = []
        var line = ""
        var used = 0
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            let length = DisplayWidth.of(String(word))
            if !line.isEmpty, used + 1 + length > width {
                lines.append(line)
                (line, used) = ("", 0)
            }
            if length <= width {
                line += (line.isEmpty ? "" : " ") + word
                used += length + (used == 0 ? 0 : 1)
                continue
            }
            for character in word {
                let next = DisplayWidth.of(String(character))
                if used + next > width {
                    lines.append(line)
                    (line, used) = ("", 0)
                }
                line.append(character)
                used += next
            }
        }
        return lines + [line]
    }
}
