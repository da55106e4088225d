import FeatureCatalog
import Foundation
import TerminalOutput

/// By how much a feature changes the logits of all tokens: most change little, the few at either end are those that it
/// promotes and suppresses. Counts are drawn by their logarithm, so that those few are seen.
struct LogitHistogram {
    /// Bars at most.
    private static let most = 72

    private let histogram: LinearHistogram
    /// Bins that a bar adds up; bars begin at multiples of it, so that none holds changes of both signs.
    private let merged: Int
    private let bars: [(first: Int, count: Int)]

    /// Takes the bins.
    init(_ histogram: LinearHistogram) {
        self.histogram = histogram
        var merged = 1
        while histogram.counts.count / merged > Self.most { merged += 1 }
        self.merged = merged
        func bar(of bin: Int) -> Int { Int((Double(bin) / Double(merged)).rounded(.down)) }
        let (first, last) = (bar(of: histogram.firstBin), bar(of: histogram.firstBin + histogram.counts.count - 1))
        var counts = [Int](repeating: 0, count: last - first + 1)
        for (place, count) in histogram.counts.enumerated() {
            counts[bar(of: histogram.firstBin + place) - first] += count
        }
        bars = counts.enumerated().map { ((first + $0.offset) * merged, $0.element) }
    }

    /// The drawing with its axes.
    var plot: Drawing {
        let (left, width, height) = (44.0, 476.0, 110.0)
        let step = width / Double(bars.count)
        let side = Double(merged) * histogram.binWidth
        let fullest = bars.map(\.count).max() ?? 1
        func tall(_ count: Int) -> Double {
            // A single token is seen as well.
            count == 0 ? 0 : height * (1 + log10(Double(count))) / (1 + log10(Double(fullest)))
        }
        let marks = bars.enumerated().filter { $0.element.count > 0 }.map { place, bar -> HTML in
            let low = Double(bar.first) * histogram.binWidth
            return """
                <rect class="\(bar.first < 0 ? "fall" : "rise")" x="\(PlotNumber.text(left + Double(place) * step))" \
                y="\(PlotNumber.text(8 + height - tall(bar.count)))" width="\(PlotNumber.text(max(1, step - 1)))" \
                height="\(PlotNumber.text(tall(bar.count)))"><title>\(Figure.plain(low)) … \(Figure.plain(low + side)): \
                \(Quantities.count(bar.count))</title></rect>
                """
        }
        let (low, high) = (
            Double(bars[0].first) * histogram.binWidth, Double(bars[bars.count - 1].first + merged) * histogram.binWidth
        )
        let zero = left + width * PlotNumber.share(0, low, high)
        let showsZero = low < 0 && high > 0 && zero > left + 50 && zero < left + width - 50
        return Drawing(
            width: 520, height: 152, title: "Changes of all tokens' logits",
            description: """
                \(Quantities.count(histogram.total)) tokens; changes from \(Figure.plain(low)) to \(Figure.plain(high)) \
                per unit of activation.
                """,
            body: """
                <path class="grid" d="M44 8H520"/>\(marks)<path class="axis" d="M44 118H520\
                \(showsZero ? "M\(PlotNumber.text(zero)) 118v4" : "")"/>\
                <text class="end" x="38" y="12">\(Quantities.count(fullest))</text>\
                <text class="end" x="38" y="121">0</text>\
                <text x="44" y="133">\(Figure.plain(low))</text><text class="end" x="520" y="133">\(Figure.plain(high))\
                </text><text class="mid" x="\(PlotNumber.text(zero))" y="133">\(showsZero ? "0" : "")</text>\
                <text class="mid" x="282" y="148">change of the logit; count of tokens, logarithmic</text>
                """)
    }
}
