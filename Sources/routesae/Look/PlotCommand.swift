import ActivationPipeline
import ArgumentParser
import CatalogViewer
import FeatureCatalog
import Foundation
import Safetensors

extension PlotKind: ExpressibleByArgument {}

struct PlotCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "plot",
        abstract: "Draw a chart of a catalog as an SVG file.",
        discussion: """
            The charts are those of 'routesae serve'. A file holds its own colours, for light and for dark, and needs \
            nothing else. Kinds: loss (of --run, or of the run that trained the dictionary), histogram (activations of \
            --feature), layers (its firings by layer), logits (its changes of all tokens' logits), routing (tokens by \
            layer), pareto (KL against L0 of all dictionaries evaluated), scores (of explanations, beside their \
            baseline), map (all features by the similarity of their decoder vectors).

            Examples:
              routesae plot c.sqlite --kind pareto --output pareto.svg
              routesae plot c.sqlite --kind histogram --feature 12 --output feature-12.svg
              routesae plot c.sqlite --kind map --dictionary route --output - | gzip > map.svgz
            """)

    @OptionGroup var catalog: CatalogArgument
    @Option(help: "What to draw: loss, histogram, layers, routing, pareto, scores, map or logits.")
    var kind: PlotKind
    @Option(help: "The SVG file to write; - for standard output.")
    var output: String
    @OptionGroup var index: IndexOption
    @Option(help: "The feature, for the kinds histogram, layers and logits.")
    var feature: Int?
    @Option(
        name: .customLong("run"),
        help: "The run whose loss is drawn; by default the one that trained the dictionary.")
    var runID: Int64?
    @Flag(help: "Replace the file if it exists.")
    var force = false
    @OptionGroup var options: RunOptions

    func run() throws {
        var request = CatalogPlot.Request(kind)
        (request.dictionary, request.corpus) = (index.dictionary, index.corpus)
        (request.feature, request.run) = (feature, runID)
        try CatalogPlot.check(request)
        if output != "-" { try OutputFile.check(output, overwriting: force, inputs: [catalog.catalog]) }
        // A map takes seconds; no writer should wait for it.
        let plot = try catalog.read(atOnce: kind != .map) {
            try CatalogPlot(request, in: $0, workers: options.workers)
        }
        guard output != "-" else { return StandardStreams.write(plot.svg) }
        do { try Data(plot.svg.utf8).write(to: URL(filePath: output), options: .atomic) } catch {
            throw WorkflowError.cannotWrite(path: output, problem: error.systemReason)
        }
        options.say("\(output): \(kind.rawValue)")
    }
}
