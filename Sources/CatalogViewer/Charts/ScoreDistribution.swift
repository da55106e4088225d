import TerminalOutput

/// Scores, and beside them what wrong explanations score.
struct ScoreDistribution: Sendable {
    private static let binCount = 40

    private let lower: Double
    private let scores: [Double]
    private let baseline: [Double]
    private let scoreCount: Int
    private let baselineCount: Int

    /// Counts scores between −1 and 1; the scale begins at 0 if none is below.
    ///
    /// - Returns: nil for fewer than five scores.
    init?(scores: [Double], baseline: [Double]) {
        guard scores.count >= 5 else { return nil }
        let least = (scores + baseline).filter(\.isFinite).min() ?? 0
        let lower = least < 0 ? max(-1, (least * 10).rounded(.down) / 10) : 0
        func shares(_ values: [Double]) -> [Double] {
            var counts = Array(repeating: 0.0, count: Self.binCount)
            for value in values where value.isFinite {
                let place = (value - lower) / (1 - lower) * Double(Self.binCount)
                counts[Int(min(Double(Self.binCount - 1), max(0, place)))] += 1
            }
            return counts.map { $0 / Double(max(1, values.count)) }
        }
        self.lower = lower
        self.scores = shares(scores)
        self.baseline = shares(baseline)
        (scoreCount, baselineCount) = (scores.count, baseline.count)
    }

    /// The drawing with its axis.
    var plot: Drawing {
        let greatest = max((scores + baseline).max() ?? 1, 1e-9)
        let step = 512 / Double(Self.binCount)
        let bars = scores.enumerated().filter { $0.element > 0 }.map { place, share -> HTML in
            let tall = 90 * share / greatest
            return """
                <rect x="\(PlotNumber.text(4 + Double(place) * step))" y="\(PlotNumber.text(98 - tall))" \
                width="\(PlotNumber.text(step - 1))" height="\(PlotNumber.text(tall))"/>
                """
        }
        var outline = "M4 98"
        for (place, share) in baseline.enumerated() {
            outline +=
                "V\(PlotNumber.text(98 - 90 * share / greatest))H\(PlotNumber.text(4 + Double(place + 1) * step))"
        }
        let zero = 4 + 512 * PlotNumber.share(0, lower, 1)
        return Drawing(
            width: 520, height: 116, title: "Scores and baseline",
            description: """
                The distribution of \(Quantities.count(scoreCount)) simulation scores, as bars, and of \
                \(Quantities.count(baselineCount)) scores of wrong explanations, as a line.
                """,
            body: """
                <path class="axis" d="M4 98H516"/><g class="bar">\(bars)</g>\
                <path class="chances" d="\(baselineCount > 0 ? outline + "V98" : "")"/>\
                <text x="4" y="112">\(Quantities.significant(lower).replacing("-", with: "−"))</text>\
                <text class="mid" x="\(PlotNumber.text(zero))" y="112">\(lower < -0.05 ? "0" : "")</text>\
                <text class="end" x="516" y="112">1</text>\
                <text class="mid" x="300" y="112">score; line: wrong explanations</text>
                """)
    }
}
