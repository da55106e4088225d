import TerminalOutput

/// Shares of a dictionary's layers as upright bars.
struct LayerBars {
    /// Layers drawn; no model has more.
    private static let most = 256

    private let scale: LayerScale
    private let shares: [Int: Double]

    /// Describes the shares, 0…1, by layer.
    init(_ shares: [Int: Double], scale: LayerScale) {
        self.shares = shares
        self.scale = scale
    }

    /// The drawing in a row of a list: every layer has its place.
    var spark: HTML {
        guard !scale.layers.isEmpty else { return "" }
        let layers = scale.layers.prefix(Self.most)
        let step = min(12, 96 / Double(layers.count))
        let width = step * Double(layers.count)
        let greatest = max(shares.values.filter(\.isFinite).max() ?? 0, .leastNormalMagnitude)
        let bars = layers.enumerated().compactMap { place, layer -> HTML? in
            guard let share = shares[layer], share > 0, share.isFinite else { return nil }
            let tall = max(1.5, 20 * share / greatest)
            return """
                <rect class="\(scale.style(layer))" x="\(PlotNumber.text(Double(place) * step))" \
                y="\(PlotNumber.text(20 - tall))" width="\(PlotNumber.text(max(1, step - 1.5)))" \
                height="\(PlotNumber.text(tall))"/>
                """
        }
        let peak = shares.max { ($0.value, $1.key) < ($1.value, $0.key) }
        let name = peak.map { "Most in layer \($0.key): \(Quantities.percentage($0.value))" } ?? "No layer"
        return """
            <svg class="spark layers" viewBox="0 0 \(PlotNumber.text(width)) 22" width="\(PlotNumber.text(width))" \
            height="22" role="img"><title>\(name)</title><path class="axis" d="M0 21.5H\(PlotNumber.text(width))"/>\
            \(bars)</svg>
            """
    }

    /// The drawing with its axes: a row for each layer, with its name, its bar and its share.
    ///
    /// - Parameter whole: what the shares are of, such as "tokens".
    func plot(of whole: String) -> Drawing {
        let layers = scale.layers.prefix(Self.most)
        let values = layers.map { layer in shares[layer].flatMap { $0.isFinite ? max(0, $0) : nil } ?? 0 }
        let greatest = max(values.max() ?? 0, .leastNormalMagnitude)
        let rows = zip(layers, values).enumerated().map { place, row -> HTML in
            let top = 4 + 18 * Double(place)
            let (layer, share) = row
            return """
                <text class="end" x="40" y="\(PlotNumber.text(top + 9.5))">\(layer)</text>\
                <rect class="\(scale.style(layer))" x="48" y="\(PlotNumber.text(top))" \
                width="\(PlotNumber.text(share > 0 ? max(1, 412 * share / greatest) : 0))" height="12"/>\
                <text class="end" x="520" y="\(PlotNumber.text(top + 9.5))">\(share > 0 ? Figure.percentage(share) : "0")</text>
                """
        }
        let end = 4 + 18 * Double(layers.count)
        let peak = zip(layers, values).max { $0.1 < $1.1 }.map { "; most in layer \($0.0)" } ?? ""
        return Drawing(
            width: 520, height: end + 22, title: "Share of \(whole) by layer",
            description: "\(layers.count) layers\(peak).",
            body: """
                <path class="axis" d="M47.5 0V\(PlotNumber.text(end))"/>\(rows)\
                <text class="end" x="40" y="\(PlotNumber.text(end + 14))">layer</text>\
                <text x="48" y="\(PlotNumber.text(end + 14))">share of \(whole)</text>
                """)
    }

    /// A share as a horizontal bar of its cell's width.
    static func meter(_ share: Double, style: String) -> HTML {
        let percent = PlotNumber.text(share.isFinite ? min(1, max(0, share)) * 100 : 0)
        return """
            <svg class="meter" aria-hidden="true"><rect class="back" width="100%" height="8"/>\
            <rect class="\(style)" width="\(percent)%" height="8"/></svg>
            """
    }
}
