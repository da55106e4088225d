import ArgumentParser
import CatalogViewer
import FeatureCatalog
import JSON
import TerminalOutput
import Vocabulary

extension ContextBand: ExpressibleByArgument {}

struct FeatureCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "feature",
        abstract: "Show one feature: what it means, where it fires, and how strongly.",
        discussion: """
            A table is a page for people: explanation and score, figures, a histogram, layers, tokens, and contexts in \
            which the firing tokens stand out. json and jsonl give one object with everything; csv, tsv and markdown \
            give the contexts.

            Examples:
              routesae feature c.sqlite 12
              routesae feature c.sqlite 12 --band quiet --contexts 20
              routesae feature c.sqlite 12 --format json | jq .statistics
              routesae feature c.sqlite 12 --format csv > contexts.csv
            """)

    @OptionGroup var catalog: CatalogArgument
    @Argument(help: ArgumentHelp("The feature's number.", valueName: "feature"))
    var index: Int
    @OptionGroup var indexOption: IndexOption
    @Option(help: "How many contexts of each band at most; 0 for all. A page shows 8, other formats all.")
    var contexts: Int?
    @Option(help: "Only these contexts: top, sample or quiet. A page shows top and sample, other formats all.")
    var band: ContextBand?
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let contexts, contexts < 0 {
            throw ValidationError("--contexts is \(contexts); allowed: from 1, or 0 for all")
        }
    }

    func run() throws {
        try catalog.read { catalog in
            let report = try FeatureReport(
                index, of: indexOption.find(in: catalog), contexts: choice, in: catalog)
            switch output.format {
            case .table:
                let page = try FeaturePage(report, in: catalog, style: .standardOutput())
                StandardStreams.write(page.text)
            case .json, .jsonl:
                StandardStreams.write(report.json.document(onOneLine: output.format == .jsonl))
            case .csv, .tsv, .markdown:
                printContexts(of: report)
            }
        }
    }

    private var choice: FeatureReport.ContextChoice {
        let isPage = output.format == .table
        let limit = contexts ?? (isPage ? 8 : 0)
        return FeatureReport.ContextChoice(
            bands: band.map { [$0] } ?? (isPage ? [.top, .sample] : ContextBand.allCases),
            limit: limit == 0 ? nil : limit)
    }

    private func printContexts(of report: FeatureReport) {
        output.print(
            columns: [
                "feature_index", "band", "rank", "activation", "layer", "router_weight", "split", "document_id",
                "token_position", "window_start", "window_length", "context_id", "excerpt",
            ],
            rows: report.contexts.map { context in
                [
                    Cell(context.featureIndex), .text(context.band.rawValue), Cell(context.rank),
                    .real(Double(context.activation)), Cell(context.layer),
                    Cell(context.routerWeight.map { Double($0) }), Cell(context.split?.rawValue),
                    .integer(context.documentID), Cell(context.tokenPosition), Cell(context.windowStart),
                    Cell(context.activations.count), .integer(context.contextID), .text(context.excerpt),
                ]
            })
    }
}
