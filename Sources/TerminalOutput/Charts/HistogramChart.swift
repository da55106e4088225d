/// A histogram as upright columns of blocks over a labelled axis.
package struct HistogramChart: Sendable {
    private static let eighths: [Character] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

    private let counts: [Int]
    private let lower: Double
    private let upper: Double
    private let height: Int

    /// Describes a histogram.
    ///
    /// - Parameters:
    ///   - counts: the number in each bin, none negative; a column of one character each.
    ///   - lower: the left end of the first bin.
    ///   - upper: the right end of the last bin.
    ///   - height: the lines of the fullest bin, at least 1.
    package init(counts: [Int], lower: Double, upper: Double, height: Int = 6) {
        precondition(height >= 1, "a chart of \(height) lines")
        self.counts = counts
        self.lower = lower
        self.upper = upper
        self.height = height
    }

    /// The chart, with the fullest bin's count beside its top and the range below; empty if nothing was counted.
    package func draw(style: TerminalStyle = .plain) -> String {
        guard let greatest = counts.max(), greatest > 0 else { return "" }
        let units = counts.map { count in
            count <= 0 ? 0 : max(1, Int((Double(count) / Double(greatest) * Double(8 * height)).rounded()))
        }

        let top = Quantities.count(greatest)
        let margin = max(DisplayWidth.of(top), 1)
        var text = ""
        for line in (0..<height).reversed() {
            let label = line == height - 1 ? top : line == 0 ? "0" : ""
            let blocks = String(units.map { Self.eighths[min(8, max(0, $0 - 8 * line))] })
            text += DisplayWidth.padded(height == 1 ? top : label, to: margin, rightAligned: true)
            text += " " + style.paint(blocks, .cyan) + "\n"
        }

        let left = Quantities.significant(lower)
        let right = Quantities.significant(upper)
        text += String(repeating: " ", count: margin + 1) + left
        text += String(repeating: " ", count: max(1, counts.count - left.count - right.count)) + right + "\n"
        return text
    }
}
