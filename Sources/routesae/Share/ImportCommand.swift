import ActivationPipeline
import ArgumentParser
import DictionaryExchange
import FeatureCatalog
import Foundation
import Interchange
import LinearAlgebra
import SparseCoding
import TerminalOutput
import Vocabulary

struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "import",
        abstract: "Take dictionaries of other programs into a catalog.",
        discussion: """
            Reads SAELens folders, sparsify runs, dictionary_learning's ae.pt, Gemma Scope, Qwen-Scope, Llama Scope and \
            the RouteSAE authors' state dicts, and makes the catalog if it is not there. The format is recognised by \
            the files; what they do not say is asked for by name. A folder of several dictionaries gives all of them, or \
            those of --layer. Nothing in the files is executed. Weights are stored in the type that they have.

            Examples:
              routesae import c.sqlite downloads/gemma-scope-2b-pt-res/layer_12/width_16k/average_l0_82
              routesae import c.sqlite layer20.sae.pt --from qwen-scope --k 50 --model Qwen3-1.7B-Base
              routesae import c.sqlite run/trainer_0 --name topk16
              routesae import c.sqlite route.pt --from routesae-pytorch --layers 3-11 --k 64
            """)

    @OptionGroup var catalog: CatalogArgument
    @Argument(help: "A file or folder of another program.")
    var path: String
    @Option(
        help: ArgumentHelp(
            "The format, if it is not to be recognised: \(ForeignFormat.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "format"))
    var from: ForeignFormat?
    @Option(help: "What the dictionary is called; by default after its files.")
    var name: String?
    @Option(name: [.long, .customLong("layers")], help: "The decoder layers it reads, counted from 0: 12, or 3-11.")
    var layer: LayerList?
    @Option(help: "Number of active latents of a token.")
    var k: Int?
    @Option(help: "The architecture of an author's state dict, where its tensors leave it open.")
    var architecture: Architecture?
    @Option(help: "The routing of an author's state dict: hard or soft.")
    var routing: RoutingMode?
    @Option(help: "The router's input of an author's state dict: sum or mean.")
    var aggregation: RouterAggregation?
    @Option(help: "The rules of an author's state dict: reference or corrected.")
    var fidelity: Fidelity?
    @Option(help: "Folder of the language model it reads; without it any model of its width may be used later.")
    var model: String?
    @OptionGroup var quietness: QuietOption

    func run() throws {
        Interruption.watch()
        let settings = ImportSettings(
            path: path, format: from, name: name, layers: layer?.layers, k: k, architecture: architecture,
            routing: routing, aggregation: aggregation, fidelity: fidelity, model: model)
        // Everything but the weights is checked before a catalog is made.
        let job = try ImportRun(settings, workers: Workers(threads: nil))
        let results = try results(of: job)
        job.remarks.forEach(StandardStreams.remark)
        for result in results { quietness.say(line(result)) }
    }

    /// Imports into the catalog; a new one appears once it holds what was imported.
    private func results(of job: ImportRun) throws -> [ImportRun.Result] {
        if !FileManager.default.fileExists(atPath: catalog.catalog) {
            do {
                var results: [ImportRun.Result] = []
                try Catalog.build(at: catalog.catalog, replacing: false, software: Software.identity) {
                    results = try job.results(in: $0, isQuiet: quietness.quiet)
                }
                return results
            } catch let error as CatalogError where error.code == .exists {
                // Somebody else has made it meanwhile.
            }
        }
        return try catalog.write { try job.results(in: $0, isQuiet: quietness.quiet) }
    }

    private func line(_ result: ImportRun.Result) -> String {
        let configuration = result.configuration
        let layers = configuration.layers.map(String.init).joined(separator: ", ")
        return """
            dictionary \(result.dictionaryID) "\(result.name)": \(configuration.architecture.rawValue) of \
            \(Quantities.count(configuration.latents)) latents, width \(configuration.dModel), layer \(layers)\
            \(configuration.k.map { ", k \($0)" } ?? "")\
            \(result.modelName.map { ", of \($0)" } ?? "") (\(result.format.rawValue))
            """
    }
}

extension ImportRun {
    /// Imports into a catalog, with progress on standard error.
    fileprivate func results(in catalog: Catalog, isQuiet: Bool) throws -> [Result] {
        let progress = RunProgress(label: "importing values", isQuiet: isQuiet)
        do {
            let results = try run(
                into: catalog, cancelled: { Interruption.isRequested },
                progress: { done, total in progress.update(done, of: total) })
            progress.finish()
            return results
        } catch {
            progress.abandon()
            throw error
        }
    }
}

extension ForeignFormat: ExpressibleByArgument {}
