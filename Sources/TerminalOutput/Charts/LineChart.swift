import Foundation

/// A curve in braille dots, two by four to a character, with the ends of both axes labelled.
package struct LineChart: Sendable {
    /// One point of the curve.
    package struct Point: Hashable, Sendable {
        /// Along the horizontal axis.
        package let x: Double
        /// Along the vertical axis.
        package let y: Double

        /// Places a point.
        package init(x: Double, y: Double) {
            self.x = x
            self.y = y
        }
    }

    private let points: [Point]
    private let width: Int
    private let height: Int
    private let isLogarithmic: Bool

    /// Describes a chart.
    ///
    /// - Parameters:
    ///   - points: the curve in order; points that are not finite are left out, and neighbours are joined.
    ///   - width: the columns of the drawing without its labels, at least 2.
    ///   - height: the lines of the drawing without its labels, at least 2.
    ///   - isLogarithmic: whether equal ratios are drawn equally high; points at or below 0 are then left out.
    package init(points: [Point], width: Int = 60, height: Int = 12, isLogarithmic: Bool = false) {
        precondition(width >= 2 && height >= 2, "a chart of \(width) by \(height)")
        self.points = points.filter { $0.x.isFinite && $0.y.isFinite && (!isLogarithmic || $0.y > 0) }
        self.width = width
        self.height = height
        self.isLogarithmic = isLogarithmic
    }

    /// The chart; empty without points.
    package func draw(style: TerminalStyle = .plain) -> String {
        let levels = points.map { isLogarithmic ? log($0.y) : $0.y }
        guard let left = points.map(\.x).min(), let right = points.map(\.x).max(), let bottom = levels.min(),
            let top = levels.max(), let least = points.map(\.y).min(), let greatest = points.map(\.y).max()
        else { return "" }
        var canvas = DotCanvas(width: width, height: height)
        var previous: (column: Int, row: Int)?
        for (point, level) in zip(points, levels) {
            let column = Int((Self.share(point.x, left, right) * Double(canvas.columns - 1)).rounded())
            let row = Int(((1 - Self.share(level, bottom, top)) * Double(canvas.rows - 1)).rounded())
            canvas.line(from: previous ?? (column, row), to: (column, row))
            previous = (column, row)
        }
        return frame(canvas, style: style, xs: (left, right), ys: (least, greatest))
    }

    private func frame(
        _ canvas: DotCanvas,
        style: TerminalStyle,
        xs: (left: Double, right: Double),
        ys: (least: Double, greatest: Double)
    ) -> String {
        let (top, bottom) = (Quantities.significant(ys.greatest), Quantities.significant(ys.least))
        let margin = max(top.count, bottom.count)
        var text = ""
        for (index, line) in canvas.lines.enumerated() {
            let label = index == 0 ? top : index == height - 1 ? bottom : ""
            text += DisplayWidth.padded(label, to: margin, rightAligned: true)
            text += (label.isEmpty ? " │" : " ┤") + style.paint(line, .cyan) + "\n"
        }
        text += String(repeating: " ", count: margin) + " └" + String(repeating: "─", count: width) + "\n"
        let (left, right) = (Quantities.significant(xs.left), Quantities.significant(xs.right))
        text += String(repeating: " ", count: margin + 2) + left
        text += String(repeating: " ", count: max(1, width - left.count - right.count)) + right + "\n"
        return text
    }

    /// The relative position between two ends, 0…1; 0.5 if they coincide.
    private static func share(_ value: Double, _ low: Double, _ high: Double) -> Double {
        // Halved, as the span of two huge numbers may not be representable.
        high > low ? (value / 2 - low / 2) / (high / 2 - low / 2) : 0.5
    }
}
