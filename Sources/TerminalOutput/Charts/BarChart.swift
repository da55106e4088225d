/// A horizontal bar chart with names and figures.
package struct BarChart: Sendable {
    /// One bar.
    package struct Bar: Hashable, Sendable {
        /// The name.
        package let label: String
        /// The bar's length; nothing is drawn below 0 or for a number that is not finite.
        package let value: Double
        /// The text behind the bar; the value to 4 digits by default.
        package let note: String

        /// Names a bar.
        package init(label: String, value: Double, note: String? = nil) {
            self.label = label
            self.value = value
            self.note = note ?? Quantities.significant(value)
        }
    }

    private static let eighths: [Character] = [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"]

    private let bars: [Bar]
    private let width: Int
    private let maximum: Double?

    /// Describes a chart.
    ///
    /// - Parameters:
    ///   - bars: the bars, from the top.
    ///   - width: the columns of the longest bar, at least 1.
    ///   - maximum: the value of a bar of full length; by default the greatest.
    package init(bars: [Bar], width: Int = 40, maximum: Double? = nil) {
        precondition(width >= 1, "bars of \(width) columns")
        self.bars = bars
        self.width = width
        self.maximum = maximum
    }

    /// The chart, a line for each bar.
    package func draw(style: TerminalStyle = .plain) -> String {
        let maximum = maximum ?? bars.map(\.value).filter(\.isFinite).max() ?? 0
        let labels = bars.map { VisibleText.of($0.label) }
        let labelWidth = labels.reduce(0) { max($0, DisplayWidth.of($1)) }
        var text = ""
        for (bar, label) in zip(bars, labels) {
            let drawn = Self.blocks(bar.value, of: maximum, width: width)
            text += DisplayWidth.padded(label, to: labelWidth) + " "
            text += style.paint(drawn, .cyan) + String(repeating: " ", count: width - drawn.count)
            text += " " + VisibleText.of(bar.note) + "\n"
        }
        return text
    }

    private static func blocks(_ value: Double, of maximum: Double, width: Int) -> String {
        guard value.isFinite, value > 0, maximum > 0 else { return "" }
        var units = Int((min(1, value / maximum) * Double(8 * width)).rounded())
        // A value above 0 is always visible.
        units = max(1, units)
        let rest = units % 8
        return String(repeating: "█", count: units / 8) + (rest == 0 ? "" : String(eighths[rest]))
    }
}
