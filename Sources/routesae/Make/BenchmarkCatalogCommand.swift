import ActivationPipeline
import ArgumentParser
import Benchmarks
import Foundation
import TerminalOutput

struct BenchmarkCatalogCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "catalog",
        abstract: "Time writing a catalog of synthetic features: contexts per second, and bytes.",
        discussion: """
            Example:
              routesae benchmark catalog --features 131072 --contexts 90 --output big.sqlite --keep --format json
            """)

    @Option(help: "Number of features.") var features: Int
    @Option(help: "Contexts of each.") var contexts: Int
    @Option(help: "Tokens of text; as many as contexts if not given, 10 million at most.") var tokens: Int?
    @Option(help: "Width of the residual stream.") var dModel = 64
    @Option(help: "Folder of the model whose tokenizer reads --text; words are made up without both.")
    var model: String?
    @Option(parsing: .upToNextOption, help: "Files and folders of text, read over and over.") var text: [String] = []
    @Option(help: "Where the catalog is made; by default a temporary folder.") var output: String?
    @Flag(help: "Keep the catalog.") var keep = false
    @Option(help: "Keep a copy of the catalog here as it was before the index.") var before: String?
    @Option(help: "Seed of the synthetic data.") var seed: UInt64 = 0
    @OptionGroup var printing: OutputOptions
    @Flag(name: .shortAndLong, help: "No progress on standard error.") var quiet = false

    func run() throws {
        let folder = output == nil ? try ScratchFolder(advice: "name a file with --output") : nil
        let path = output ?? (folder?.path ?? ".") + "/catalog.sqlite"
        defer {
            if output != nil, !keep { try? FileManager.default.removeItem(atPath: path) }
            withExtendedLifetime(folder) {}
        }

        let progress = RunProgress(label: "writing", isQuiet: quiet)
        let result = try CatalogBenchmark(
            features: features, contexts: contexts, tokens: tokens, dModel: dModel, model: model, text: text,
            before: before, seed: seed
        ).run(at: path) { progress.update($0, of: $1) }
        progress.finish()
        if let folder, keep { StandardStreams.remark(folder.keep() + "/catalog.sqlite") }
        printing.printObject([
            ("contexts_per_second", .real(Double(result.contexts) / result.writeSeconds)),
            ("rows_per_second", .real(Double(result.rows) / result.writeSeconds)),
            ("write_seconds", .real(result.writeSeconds)),
            ("processor_seconds", .real(result.processorSeconds)), ("contexts", Cell(result.contexts)),
            ("rows", Cell(result.rows)), ("bytes", Cell(result.bytes)), ("tokens", Cell(result.tokens)),
            ("peak_resident_bytes", Cell(result.peakResidentBytes)), ("features", Cell(features)),
            ("contexts_per_feature", Cell(contexts)), ("d_model", Cell(dModel)),
        ])
    }
}
