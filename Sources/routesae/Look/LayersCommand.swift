import ActivationPipeline
import ArgumentParser
import FeatureCatalog
import TerminalOutput

struct LayersCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "layers",
        abstract: "Show where tokens were routed, and what fires in each layer.",
        discussion: """
            A row for every layer that the dictionary reads: n_tokens and token_share were routed there, \
            mean_router_weight is over all tokens, n_peak_features fire most there, n_features fire there at all, and \
            n_fired, mean_activation and max_activation are of those firings.

            Examples:
              routesae layers c.sqlite
              routesae layers c.sqlite --dictionary route-m2048-k32 --format csv
            """)

    @OptionGroup var catalog: CatalogArgument
    @OptionGroup var index: IndexOption
    @OptionGroup var output: OutputOptions

    func run() throws {
        try catalog.read { catalog in
            let layers = try catalog.layerProfile(index.find(in: catalog).key)
            output.print(
                columns: [
                    "layer", "n_tokens", "token_share", "mean_router_weight", "n_peak_features", "n_features",
                    "n_fired",
                    "mean_activation", "max_activation",
                ],
                rows: layers.map { layer in
                    [
                        Cell(layer.layer), Cell(layer.tokenCount), Cell(layer.tokenShare), Cell(layer.meanRouterWeight),
                        Cell(layer.peakFeatureCount), Cell(layer.featureCount), Cell(layer.firedCount),
                        Cell(layer.meanActivation), Cell(layer.maxActivation),
                    ]
                })
            let style = TerminalStyle.standardOutput()
            if output.format == .table, style.isTerminal { StandardStreams.write(bars(of: layers, style: style)) }
        }
    }

    /// The fractions of tokens as bars; empty if nothing was routed.
    private func bars(of layers: [LayerProfile], style: TerminalStyle) -> String {
        let bars = layers.compactMap { layer in
            layer.tokenShare.map { share in
                BarChart.Bar(label: "layer \(layer.layer)", value: share, note: Quantities.percentage(share))
            }
        }
        guard !bars.isEmpty else { return "" }
        let width = min(60, max(10, (style.width ?? 80) - 20))
        return "\n" + style.paint("tokens routed there", .bold) + "\n"
            + BarChart(bars: bars, width: width).draw(style: style)
    }
}
