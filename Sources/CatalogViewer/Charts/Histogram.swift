import TerminalOutput

/// A histogram of activations: large with its axes, or as small as a word.
struct Histogram {
    /// A bin.
    private struct Bin {
        let low: Double
        let high: Double
        let count: Int
    }

    private let bins: [Bin]
    private let isLogarithmic: Bool

    /// Takes the bins from the first that holds something to the last.
    ///
    /// - Parameters:
    ///   - counts: firings in each bin.
    ///   - edges: one more than counts, ascending.
    ///   - largest: the largest value, which may lie within the last bin.
    ///   - most: how many bins to draw at most; neighbours are added up beyond that.
    /// - Returns: nil if nothing was counted, or the two do not fit each other.
    init?(counts: [Int], edges: [Double], largest: Double?, most: Int) {
        guard counts.count + 1 == edges.count, let first = counts.firstIndex(where: { $0 > 0 }),
            let last = counts.lastIndex(where: { $0 > 0 })
        else { return nil }
        let merged = max(1, (last - first + most) / most)
        bins = stride(from: first, through: last, by: merged).map { start in
            let end = min(start + merged, last + 1)
            let high = end == last + 1 ? min(edges[end], largest ?? .infinity) : edges[end]
            return Bin(
                low: edges[start], high: high,
                count: counts[start..<end].reduce(0) { $0.addingReportingOverflow($1).partialValue })
        }
        let inner = edges.dropFirst().dropLast()
        isLogarithmic = inner.count > 2 && (inner.first ?? 0) > 0 && (inner.last ?? 0) > 100 * (inner.first ?? 0)
    }

    private var fullest: Int { max(1, bins.map(\.count).max() ?? 1) }

    /// The drawing in a row of a list.
    var spark: HTML {
        let step = 96 / Double(bins.count)
        var path = ""
        for (place, bin) in bins.enumerated() where bin.count > 0 {
            let height = max(1, 22 * Double(bin.count) / Double(fullest))
            path +=
                "M\(PlotNumber.text(Double(place) * step)) 22v-\(PlotNumber.text(height))"
                + "h\(PlotNumber.text(max(0.8, step - 0.6)))v\(PlotNumber.text(height))z"
        }
        return """
            <svg class="spark" viewBox="0 0 96 22" width="96" height="22" role="img"><title>Activations from \
            \(Quantities.significant(bins[0].low)) to \(Quantities.significant(bins[bins.count - 1].high))</title>\
            <path class="bar" d="\(path)"/></svg>
            """
    }

    /// The drawing with its axes.
    var plot: Drawing {
        let (width, height, left) = (520.0, 120.0, 44.0)
        let step = (width - left) / Double(bins.count)
        let bars = bins.enumerated().map { place, bin -> HTML in
            let tall = bin.count == 0 ? 0 : max(1, height * Double(bin.count) / Double(fullest))
            return """
                <rect x="\(PlotNumber.text(left + Double(place) * step))" y="\(PlotNumber.text(8 + height - tall))" \
                width="\(PlotNumber.text(max(1, step - 1)))" height="\(PlotNumber.text(tall))"><title>\
                \(Quantities.significant(bin.low)) … \(Quantities.significant(bin.high)): \
                \(Quantities.count(bin.count))</title></rect>
                """
        }
        let (low, high) = (bins[0].low, bins[bins.count - 1].high)
        return Drawing(
            width: width, height: 148, title: "Firings by activation",
            description: """
                \(bins.count) bins from \(Quantities.significant(low)) to \(Quantities.significant(high)); the fullest \
                has \(Quantities.count(fullest)) firings.
                """,
            body: """
                <path class="grid" d="M44 8H520M44 68H520"/><path class="axis" d="M44 128H520"/><g class="bar">\(bars)</g>\
                <text class="end" x="38" y="12">\(Quantities.count(fullest))</text>\
                <text class="end" x="38" y="131">0</text><text x="44" y="144">\(Quantities.significant(low))</text>\
                <text class="end" x="520" y="144">\(Quantities.significant(high))</text>\
                <text class="mid" x="282" y="144">activation\(isLogarithmic ? ", logarithmic" : "")</text>
                """)
    }
}
