import Foundation
import TerminalOutput

/// Curves over steps.
struct LinePlot {
    /// The curve's name.
    let name: String
    /// Its values at even distances; what is not finite is a gap.
    let values: [Double]
    /// The first and the last step.
    let steps: ClosedRange<Int>

    private var finite: [Double] { values.filter(\.isFinite) }

    /// Whether it is drawn by ratios: a curve that falls by orders of magnitude would lie on the axis.
    private var isLogarithmic: Bool {
        guard let least = finite.min(), let greatest = finite.max() else { return false }
        return least > 0 && greatest > 10 * least
    }

    /// Points of the curve within a rectangle whose upper left corner is at `left`, `top`.
    private func path(left: Double, top: Double, width: Double, height: Double) -> String {
        let levels = values.map { isLogarithmic ? log($0) : $0 }
        let known = levels.filter(\.isFinite)
        guard let least = known.min(), let greatest = known.max() else { return "" }
        var path = ""
        var isDrawing = false
        for (place, level) in levels.enumerated() {
            guard level.isFinite else {
                isDrawing = false
                continue
            }
            let x = left + width * (values.count > 1 ? Double(place) / Double(values.count - 1) : 0.5)
            let y = top + height * (1 - PlotNumber.share(level, least, greatest))
            path += (isDrawing ? "L" : "M") + PlotNumber.text(x) + " " + PlotNumber.text(y)
            isDrawing = true
        }
        return path
    }

    /// The drawing in a row of a list.
    var spark: HTML {
        guard finite.count > 1 else { return "" }
        return """
            <svg class="spark" viewBox="0 0 96 22" width="96" height="22" role="img"><title>\(name) from \
            \(Quantities.significant(finite[0])) to \(Quantities.significant(finite[finite.count - 1]))</title>\
            <path class="line" d="\(path(left: 1, top: 2, width: 94, height: 18))"/></svg>
            """
    }

    /// The drawing with its axes; nil for fewer than two values.
    var plot: Drawing? {
        guard let least = finite.min(), let greatest = finite.max(), finite.count > 1 else { return nil }
        return Drawing(
            width: 520, height: 168, title: "\(name)\(isLogarithmic ? ", logarithmic" : "")",
            description: """
                From \(Quantities.significant(finite[0])) at step \(Quantities.count(steps.lowerBound)) to \
                \(Quantities.significant(finite[finite.count - 1])) at step \(Quantities.count(steps.upperBound)); \
                between \(Quantities.significant(least)) and \(Quantities.significant(greatest)).
                """,
            body: """
                <path class="grid" d="M56 8H520M56 78H520"/><path class="axis" d="M56 148H520"/>\
                <path class="line" d="\(path(left: 56, top: 8, width: 464, height: 140))"/>\
                <text class="end" x="50" y="12">\(Quantities.significant(greatest))</text>\
                <text class="end" x="50" y="151">\(Quantities.significant(least))</text>\
                <text x="56" y="164">\(Quantities.count(steps.lowerBound))</text>\
                <text class="end" x="520" y="164">\(Quantities.count(steps.upperBound))</text>\
                <text class="mid" x="288" y="164">step</text>
                """)
    }
}
