import ActivationPipeline
import ArgumentParser
import CatalogViewer
import FeatureCatalog
import Interchange
import LinearAlgebra
import SparseCoding
import Synchronization
import TerminalOutput

struct ExportCommand: ParsableCommand {
    /// The program that a folder is for.
    enum Program: String, CaseIterable, ExpressibleByArgument {
        case saelens, sparsify, neuronpedia
        case circuitTracer = "circuit-tracer"
        case html

        /// The form of weights; nil for programs that take features.
        var weights: ExportFormat? { ExportFormat(rawValue: rawValue) }
    }

    static let configuration = CommandConfiguration.verb(
        "export",
        abstract: "Write a dictionary, or its features, as a folder that another program loads.",
        discussion: """
            saelens: cfg.json and sae_weights.safetensors for SAE.load_from_disk; of a dictionary that reads several \
            layers one folder a layer, with the router beside them and a README of how to route. sparsify: layers.L/cfg.json \
            and layers.L/sae.safetensors. What the other program computes otherwise is said on standard error; what \
            it cannot compute is refused.

            neuronpedia: the folders that its importer reads, MODEL/LAYER-SET, one for each layer in which features fire. \
            circuit-tracer: the files that its viewer shows. Both take an indexed dictionary.

            html: the pages of 'routesae serve' as a folder that opens without it, from a disk or any web server. All \
            indexed dictionaries, or the one named.

            Examples:
              routesae export c.sqlite topk-saelens --to saelens --dictionary topk-l3
              routesae export c.sqlite run --to sparsify --dictionary imported
              routesae export c.sqlite pages --to neuronpedia --model-id gemma-2-2b --creator-id clkht01d40000jv08hvalcvly
              routesae export c.sqlite viewer --to circuit-tracer
              routesae export c.sqlite site --to html
            """)

    @OptionGroup var catalog: CatalogArgument
    @Argument(help: "The folder to make.")
    var folder: String
    @Option(help: "The program: saelens, sparsify, neuronpedia, circuit-tracer; or html.")
    var to: Program
    @OptionGroup var dictionary: DictionaryOption
    @Option(help: "The corpus whose index is exported, by name or number; by default the one indexed last.")
    var corpus: String?
    @Option(help: "neuronpedia: the model's id there, such as gemma-2-2b.")
    var modelId: String?
    @Option(help: "neuronpedia: the id of the user there that the features will belong to.")
    var creatorId: String?
    @Option(help: "neuronpedia: the name of the set of sources; by default made of the dictionary's.")
    var sourceSet: String?
    @Option(help: "neuronpedia: the release that the set belongs to; by default called like the set.")
    var release: String?
    @Flag(help: "circuit-tracer: a JSON file for every feature, for a viewer on one's own machine.")
    var jsonFiles = false
    @OptionGroup var quietness: QuietOption

    /// Refuses options for another program.
    private func check() throws(WorkflowError) {
        let forNeuronpedia = [
            ("--model-id", modelId), ("--creator-id", creatorId), ("--source-set", sourceSet), ("--release", release),
        ]
        if to != .neuronpedia, let given = forNeuronpedia.first(where: { $1 != nil }) {
            throw .usage("\(given.0) is for --to neuronpedia")
        }
        if to != .circuitTracer, jsonFiles { throw .usage("--json-files is for --to circuit-tracer") }
        if to.weights != nil, corpus != nil {
            throw .usage("--corpus is for --to neuronpedia, circuit-tracer and html")
        }
    }

    func run() throws {
        try check()
        if let format = to.weights {
            try exportWeights(format)
        } else if to == .html {
            try exportPages()
        } else {
            try exportFeatures()
        }
    }

    private func exportWeights(_ format: ExportFormat) throws {
        let job = ExportRun(dictionary: dictionary.dictionary, folder: folder, format: format)
        Interruption.watch()
        let progress = ProgressLine(label: "reading values", total: nil, isQuiet: quietness.quiet)
        let done = Mutex(0)
        let result: ExportRun.Result
        do {
            result = try catalog.read(atOnce: false) { catalog in
                try job.run(from: catalog, cancelled: { Interruption.isRequested }) { values in
                    progress.update(
                        done.withLock { done in
                            done += values
                            return done
                        })
                }
            }
        } catch {
            progress.abandon()
            throw error
        }
        progress.finish()
        result.remarks.forEach(StandardStreams.remark)
        let layers = result.configuration.layers.map(String.init).joined(separator: ", ")
        quietness.say("\(folder): \"\(result.name)\", layer \(layers), for \(to.rawValue)")
    }

    private func exportPages() throws {
        Interruption.watch()
        let export = HTMLExport(dictionary: dictionary.dictionary, corpus: corpus, folder: folder)
        let progress = Mutex(RunProgress(label: "writing pages", isQuiet: quietness.quiet))
        let result: HTMLExport.Result
        do {
            result = try export.run(
                on: catalog.catalog, workers: Workers(threads: nil), spelling: OptionNames.spelled,
                cancelled: { Interruption.isRequested },
                progress: { done, total in progress.withLock { $0.update(done, of: total) } })
        } catch {
            progress.withLock { $0.abandon() }
            throw error
        }
        progress.withLock { $0.finish() }
        quietness.say(
            "\(folder)\(folder.hasSuffix("/") ? "" : "/")index.html: \(Quantities.count(result.featureCount)) features of "
                + "\(result.dictionaryCount == 1 ? "1 dictionary" : "\(result.dictionaryCount) dictionaries"), "
                + "\(Quantities.count(result.fileCount)) files, \(Quantities.bytes(result.byteCount))")
    }

    private func exportFeatures() throws {
        Interruption.watch()
        let result = try catalog.read(atOnce: false) { catalog in
            let progress = RunProgress(label: "exporting", isQuiet: quietness.quiet)
            defer { progress.finish() }
            return try export(from: catalog) { progress.update($0, of: $1) }
        }
        result.remarks.forEach(StandardStreams.remark)
        let layers = result.layers.map(String.init).joined(separator: ", ")
        quietness.say(
            "\(folder): \(Quantities.count(result.featureCount)) features of \"\(result.name)\", layer \(layers), "
                + "for \(to.rawValue)")
    }

    private func export(
        from catalog: Catalog, progress: (_ done: Int, _ total: Int) -> Void
    ) throws -> FeatureExportResult {
        if to == .neuronpedia {
            return try NeuronpediaExport(
                dictionary: dictionary.dictionary, corpus: corpus, folder: folder, modelID: modelId,
                creatorID: creatorId, sourceSet: sourceSet, release: release
            ).run(from: catalog, cancelled: { Interruption.isRequested }, progress: progress)
        }
        return try CircuitTracerExport(
            dictionary: dictionary.dictionary, corpus: corpus, folder: folder, hasFileForEach: jsonFiles
        ).run(from: catalog, cancelled: { Interruption.isRequested }, progress: progress)
    }
}
