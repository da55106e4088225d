import TerminalOutput

/// A score on a line with its baseline, and the range in which 95 % of the baseline scores lie.
struct ScoreStrip {
    /// The score.
    let value: Double
    /// The score of another feature's explanation on the same contexts.
    let baseline: Double?
    /// The 95th percentile of such scores.
    let limit: Double?
    /// The ends of the scale.
    var scale: ClosedRange<Double> = 0...1

    /// The drawing.
    var drawn: HTML {
        func share(_ value: Double) -> Double { PlotNumber.share(value, scale.lowerBound, scale.upperBound) }
        func x(_ value: Double) -> String { PlotNumber.text(4 + 152 * share(value)) }
        let chance = limit.map { limit -> HTML in
            """
            <rect class="chance" x="4" y="4" width="\(PlotNumber.text(152 * share(limit)))" height="10"/>
            """
        }
        let mark = baseline.map { "<path class=\"tick\" d=\"M\(x($0)) 3v12\"/>" as HTML }
        let isBetter = limit.map { value > $0 } ?? false
        return """
            <svg class="strip" viewBox="0 0 160 18" width="160" height="18" role="img"><title>Score \
            \(Quantities.significant(value))\(baseline.map { ", baseline \(Quantities.significant($0))" } ?? "")\
            \(limit.map { ", 95 % of baselines below \(Quantities.significant($0))" } ?? "")</title>\
            <path class="axis" d="M4 9H156"/>\(chance)\(mark)\
            <circle class="\(isBetter ? "good" : "plain")" cx="\(x(value))" cy="9" r="4"/></svg>
            """
    }
}
