import ActivationPipeline
import ArgumentParser
import Evaluation
import FeatureCatalog
import LinearAlgebra
import TerminalOutput

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "evaluate",
        abstract: "Measure reconstruction, its cost to the model, and what the features say of all layers.",
        discussion: """
            substitution (the default), of each dictionary and of each layer it reads: norm_mse, explained_variance, \
            l0, l2_ratio, relative_reconstruction_bias; kl (original ‖ substituted, nats per real token; kl_batchmean as PyTorch divides it), ce, ce_substituted, delta_ce; \
            ce_zero with zeros in the same places, and recovered, the share of the loss between them that the \
            reconstruction keeps; dead_share, freq_over_1_percent, freq_over_10_percent, \
            average_max_encoder_cosine_sim and average_max_decoder_cosine_sim; routing_share and router_weight by layer, routing_entropy, \
            token_entropy, chosen_weight. Every figure comes with the tokens it rests on and a 95 % interval, by \
            bootstrap over documents. The BOS that is put before a text never counts.

            coverage: how much of the variance of each of --layers is linear in the latents of the token, the mean \
            and the least of them. census: the share of the features of single-layer dictionaries of other seeds that \
            a dictionary has. probing: F1 of probes on 1, 2 and 5 latents for labels that the text has. coherence: \
            whether a feature's strongest contexts are the same at all layers at which it is read. Coverage and probes \
            are fitted on every second document and measured on the others. Each measure has a baseline.

            Without --text, the documents that the catalog has of a corpus are read again. Several dictionaries share \
            one pass of the model as it is.

            Examples:
              routesae evaluate c.sqlite --model Demo/model
              routesae evaluate c.sqlite --model Demo/model --text Demo/text/heldout --tokens 50000
              routesae evaluate c.sqlite --model Demo/model --all-dictionaries --format csv
              routesae evaluate c.sqlite --model Demo/model --measures coverage coherence --tokens 20000 --shuffle
              routesae evaluate c.sqlite --model Demo/model --measures census --all-dictionaries
              routesae sql c.sqlite "SELECT name, value FROM evaluation JOIN dictionary USING (dictionary_id) \
            WHERE metric = 'kl' AND layer IS NULL"
            """)

    @OptionGroup var catalog: CatalogArgument
    @Option(parsing: .upToNextOption, help: "Dictionaries, by name or number; the last one added if none is named.")
    var dictionary: [String] = []
    @Flag(help: "All dictionaries.")
    var allDictionaries = false
    @Option(help: "Folder of the language model the dictionaries were trained on.")
    var model: String
    @Option(parsing: .upToNextOption, help: "Text files (.txt, .jsonl) and folders of them.")
    var text: [String] = []
    @Option(
        help: """
            What the corpus is called in the catalog: with --text, what to call it; without, which to read (the last \
            one added if not said).
            """)
    var corpus: String?
    @Option(help: "Stop after this many tokens.")
    var tokens: Int?
    @Option(
        parsing: .upToNextOption,
        help: "What to measure: substitution, coverage, census, probing, coherence; by default substitution.")
    var measures: [Measure] = []
    @Flag(help: "Take the documents in an order drawn by --seed, so that --tokens takes a sample of all.")
    var shuffle = false
    @Option(help: "Layers for coverage and census, such as 3-11; by default all that dictionaries of the model read.")
    var layers: LayerList?
    @Option(
        parsing: .upToNextOption,
        help: "Single-layer dictionaries whose features the census counts; by default all that fit.")
    var union: [String] = []
    @Option(help: "Count in the census only features whose explanations reach this simulation score; by default all.")
    var minScore: Double?
    @Option(
        parsing: .upToNextOption, help: "Labels to probe: source, part, token-class; by default all.")
    var labels: [TextLabel] = []
    @Option(help: "What products of the model and the encoder take, f32 or bf16; by default f32.")
    var precision: Precision?
    @Option(help: "The most tokens the model sees at once; by default all its positions, 2048 at most.")
    var context: Int?
    @Option(help: "Run the zero-ablated model on one of this many segments; 1 for all.")
    var zeroEvery = 16
    @Option(help: "Resamples of the bootstrap.")
    var resamples = 1000
    @Option(help: "Seed of the bootstrap.")
    var seed: UInt64 = 0
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: RunOptions

    func validate() throws {
        if allDictionaries, !dictionary.isEmpty {
            throw ValidationError("--all-dictionaries takes no --dictionary")
        }
        if layers != nil, !measures.contains(.coverage), !measures.contains(.census) {
            throw ValidationError("--layers belongs to coverage and census; add --measures coverage")
        }
        if !union.isEmpty, !measures.contains(.census) {
            throw ValidationError("--union belongs to a census; add --measures census")
        }
        if let minScore {
            guard measures.contains(.census) else {
                throw ValidationError("--min-score belongs to a census; add --measures census")
            }
            guard (-1...1).contains(minScore) else {
                throw ValidationError("--min-score is \(minScore); allowed: -1 … 1")
            }
        }
        if !labels.isEmpty, !measures.contains(.probing) {
            throw ValidationError("--labels belongs to probing; add --measures probing")
        }
    }

    func run() throws {
        Interruption.watch()
        let results = try catalog.write { catalog in
            let named = allDictionaries ? try catalog.dictionaries().map { "\($0.dictionaryID)" } : dictionary
            if allDictionaries, named.isEmpty {
                throw WorkflowError.refused("there is no dictionary yet; train one first")
            }

            let job = EvaluationRun(
                settings: EvaluationSettings(
                    model: model, text: text, corpus: corpus, maximumTokens: tokens, context: context,
                    zeroEvery: zeroEvery, resamples: resamples, seed: seed, precision: precision,
                    measures: measures.isEmpty ? nil : Measure.allCases.filter(measures.contains),
                    shuffle: shuffle ? true : nil, layers: layers?.layers, union: union.isEmpty ? nil : union,
                    minScore: minScore,
                    labels: labels.isEmpty ? nil : TextLabel.allCases.filter(labels.contains)),
                dictionaries: named, workers: options.workers)
            let progress = options.progress("evaluating")
            defer { progress.finish() }
            return try job.run(on: catalog, cancelled: { Interruption.isRequested }) { state in
                let share = Double(state.dictionaries) / Double(max(state.totalDictionaries, 1))
                progress.update(
                    state.documents, of: state.totalDocuments,
                    fields: [("tokens", Quantities.count(state.tokens))]
                        + (state.totalDictionaries > 1 ? [("done", Quantities.percentage(share))] : []))
            } remark: {
                StandardStreams.remark($0)
            }
        }

        let several = results.count > 1
        output.print(
            columns: (several ? ["dictionary"] : []) + ["metric", "layer", "value", "low", "high", "n_tokens"],
            rows: results.flatMap { result in
                result.figures.map { figure in
                    (several ? [.text(result.dictionary.name)] : []) + [
                        .text(figure.metric), Cell(figure.layer), Cell(figure.value), Cell(figure.low),
                        Cell(figure.high), Cell(figure.tokenCount),
                    ]
                }
            })
        options.say("run " + results.map { "\($0.runID)" }.joined(separator: ", "))
    }
}
