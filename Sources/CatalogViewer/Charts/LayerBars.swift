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

    /// A share as a horizontal bar of its cell's width.
    static func meter(_ share: Double, style: String) -> HTML {
        let percent = PlotNumber.text(share.isFinite ? min(1, max(0, share)) * 100 : 0)
        return """
            <svg class="meter" aria-hidden="true"><rect class="back" width="100%" height="8"/>\
            <rect class="\(style)" width="\(percent)%" height="8"/></svg>
            """
    }
}
