import Foundation

extension FeatureMap {
    /// How many times larger points are than those of a map of 12,000: a map of few features would be empty.
    private static func enlargement(of count: Int) -> Double {
        min(2, max(1, (12_000 / Double(max(1, count))).squareRoot()))
    }

    /// Diameters by size, for a map of 12,000 features, in units of the square.
    private static let diameters: [Double] = [22, 30, 42, 60, 86]

    /// The class of a point.
    func style(_ point: Point) -> String {
        guard point.maximum > 0 else { return "dead" }
        guard let scale else { return "one" }
        return point.layer.map(scale.style) ?? "dead"
    }

    /// The drawing with its legend.
    ///
    /// - Parameter drawn: its points, all or the ``sample``.
    func plot(of drawn: [Point]) -> Drawing {
        let enlargement = Self.enlargement(of: drawn.count)
        var paths: [String: [Int: String]] = [:]
        for point in drawn { paths[style(point), default: [:]][point.size, default: ""] += "M\(point.x) \(point.y)h0" }
        // Large ones first, so that they hide nothing.
        let groups = (0..<5).reversed().flatMap { size in
            paths.keys.sorted().compactMap { style -> HTML? in
                guard let path = paths[style]?[size] else { return nil }
                return """
                    <path class="\(style)" stroke-width="\(PlotNumber.text(Self.diameters[size] * enlargement))" d="\(path)"/>
                    """
            }
        }
        let colours = scale == nil ? "" : "; colour: the layer in which a feature fires most"
        return Drawing(
            width: 520, height: 560, title: "Map of features",
            description: """
                \(points.count) features, those with similar decoder vectors near each other\(colours); size: how often \
                it fires.
                """,
            style: "map",
            body: """
                <g class="points" transform="translate(10 6) scale(.05)">\(groups)</g>\(legend(enlargement))
                """)
    }

    private func legend(_ enlargement: Double) -> HTML {
        var items: HTML = ""
        if let scale {
            // Names of ten layers have room.
            let every = (scale.layers.count + 9) / 10
            items += "<text x=\"10\" y=\"536\">layer</text>"
            for (place, layer) in scale.layers.enumerated() {
                let left = 58 + 452 * Double(place) / Double(scale.layers.count)
                let wide = 452 / Double(scale.layers.count)
                items += """
                    <rect class="\(scale.style(layer))" x="\(PlotNumber.text(left))" y="526" \
                    width="\(PlotNumber.text(max(1, wide - 1)))" height="3"/>
                    """
                guard place % every == 0 else { continue }
                items += "<text x=\"\(PlotNumber.text(left))\" y=\"540\">\(layer)</text>"
            }
        }
        let sizes = ["rare", "", "", "", "often"]
        items += "<g class=\"points\">"
        for size in 0..<5 {
            let width = PlotNumber.text(Self.diameters[size] * 0.05 * max(1.4, enlargement))
            items += "<path class=\"one\" stroke-width=\"\(width)\" d=\"M\(60 + 14 * size) 552h0\"/>"
        }
        return """
            \(items)</g><text x="10" y="556">\(sizes[0])</text><text x="130" y="556">\(sizes[4])</text>
            """
    }
}
