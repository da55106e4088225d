/// The colour classes of a dictionary's layers: `y0` for the first to `y9` for the last, evenly between.
struct LayerScale: Sendable {
    private let places: [Int: Int]
    /// The layers, ascending.
    let layers: [Int]

    init(_ layers: [Int]) {
        self.layers = layers.sorted()
        let last = max(1, layers.count - 1)
        places = Dictionary(
            self.layers.enumerated().map { ($0.element, ($0.offset * 9 + last / 2) / last) },
            uniquingKeysWith: { first, _ in first })
    }

    /// The class of a layer; `y0` for one that is not among them.
    func style(_ layer: Int) -> String { "y\(min(9, places[layer] ?? 0))" }

    /// A layer's name in its colour.
    func badge(_ layer: Int?) -> HTML {
        guard let layer else { return "<span class=\"ly\">all</span>" }
        return "<span class=\"ly \(style(layer))\" title=\"layer \(layer)\">L\(layer)</span>"
    }
}
