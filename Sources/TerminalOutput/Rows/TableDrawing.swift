/// Aligned columns, two spaces apart, under a header and a rule.
struct TableDrawing {
    private let columns: [String]
    private let rows: [[Cell]]
    private let isNumeric: [Bool]
    private let style: TerminalStyle

    /// The widest padding of a column: one long cell would otherwise make every line as long.
    private static let widest = 1000

    /// A column of text is never cut below this width.
    private static let narrowest = 8
    private static let gap = "  "

    init(columns: [String], rows: [[Cell]], style: TerminalStyle) {
        self.columns = columns.map { VisibleText.of($0) }
        self.style = style
        self.rows = rows
        isNumeric = columns.indices.map { column in
            let present = rows.lazy.map { $0[column] }.filter { $0 != .null }
            return !present.isEmpty && present.allSatisfy(\.isNumber)
        }
    }

    private static func text(_ cell: Cell) -> String {
        switch cell {
        case .real(let value): Quantities.significant(value)
        case .text(let text): VisibleText.of(text)
        case .null, .integer, .blob: cell.plainText
        }
    }

    /// Draws the whole table, line by line, each ended; nothing without columns.
    func draw(_ write: (String) -> Void) {
        guard !columns.isEmpty else { return }
        let widths = fitted(naturalWidths())
        write(line(columns, widths, emphasis: .bold))
        write(style.paint(widths.map { String(repeating: "─", count: $0) }.joined(separator: Self.gap), .dim) + "\n")
        for row in rows { write(line(row.map(Self.text), widths, emphasis: nil)) }
    }

    private func naturalWidths() -> [Int] {
        columns.indices.map { column in
            let width = rows.reduce(DisplayWidth.of(columns[column])) {
                max($0, DisplayWidth.of(Self.text($1[column])))
            }
            return min(width, Self.widest)
        }
    }

    /// Shrinks the widest text columns until the table fits the terminal, or none can shrink further.
    private func fitted(_ natural: [Int]) -> [Int] {
        guard style.isTerminal, let width = style.width else { return natural }
        var widths = natural
        var excess = widths.reduce(0, +) + Self.gap.count * (widths.count - 1) - width
        while excess > 0 {
            let shrinkable = widths.indices.filter { !isNumeric[$0] && widths[$0] > Self.narrowest }
            guard let widest = shrinkable.max(by: { widths[$0] < widths[$1] }) else { break }
            // In steps to the next widest, so that a cell of a million characters takes no million steps.
            let next = shrinkable.filter { widths[$0] < widths[widest] }.map { widths[$0] }.max() ?? Self.narrowest
            let step = min(excess, max(1, widths[widest] - next))
            widths[widest] -= step
            excess -= step
        }
        return widths
    }

    private func line(_ cells: [String], _ widths: [Int], emphasis: TerminalStyle.Paint?) -> String {
        var line = ""
        for (column, cell) in cells.enumerated() {
            // Output to files is never cut.
            let cut = style.isTerminal ? DisplayWidth.cut(cell, to: widths[column]) : cell
            let padding = String(repeating: " ", count: max(0, widths[column] - DisplayWidth.of(cut)))
            let painted = emphasis.map { style.paint(cut, $0) } ?? cut
            if column > 0 { line += Self.gap }
            if isNumeric[column] {
                line += padding + painted
            } else {
                // Nothing follows the last column, so nothing needs to be filled.
                line += column == cells.count - 1 ? painted : painted + padding
            }
        }
        while line.last == " " { line.removeLast() }
        return line + "\n"
    }
}
