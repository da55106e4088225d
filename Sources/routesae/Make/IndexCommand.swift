import ArgumentParser
import FeatureCatalog
import Indexing
import LinearAlgebra
import TerminalOutput

struct IndexCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "index",
        abstract: "Run text through the model and a dictionary, and store every feature's statistics and contexts.",
        discussion: """
            One pass: statistics, layers, token classes, and contexts of the strongest firings, of firings drawn \
            uniformly, and of places where the feature does not fire. A dictionary may be indexed on any number of \
            corpora; their figures stand side by side.

            Examples:
              routesae index c.sqlite --model Demo/model --text Demo/text/heldout
              routesae index c.sqlite --model Demo/model --text Demo/text/train/bible.jsonl --corpus bible
              routesae index c.sqlite --model Demo/model --text Demo/text --tokens 500000 --top-contexts 40 --force
              routesae index c.sqlite --model Demo/model --text Demo/text/heldout --delphi-cache latents
            """)

    @OptionGroup var catalog: CatalogArgument
    @OptionGroup var dictionary: DictionaryOption
    @Option(help: "Folder of the language model the dictionary was trained on.")
    var model: String
    @Option(help: "What the catalog calls the model, such as org/name; by default what its config.json says.")
    var modelName: String?
    @Option(parsing: .upToNextOption, help: "Text files (.txt, .jsonl) and folders of them.")
    var text: [String]
    @Option(help: "What the corpus is called in the catalog; by default after the files and folders named.")
    var corpus: String?
    @Option(help: "Stop after this many tokens.")
    var tokens: Int?
    @Option(help: "What products of the model and the encoder take, f32 or bf16; by default f32.")
    var precision: Precision?
    @Option(help: "The most tokens the model sees at once; by default all its positions, 2048 at most.")
    var context: Int?
    @Option(help: "Contexts kept of the strongest firings of a feature.")
    var topContexts = IndexingOptions().topContexts
    @Option(help: "Contexts kept of firings drawn uniformly.")
    var sampleContexts = IndexingOptions().sampleContexts
    @Option(help: "Contexts kept in which the feature does not fire.")
    var quietContexts = IndexingOptions().quietContexts
    @Option(help: "Tokens of a context.")
    var window = IndexingOptions().window
    @Option(help: "Also write every firing into this new folder, as the latents cache of EleutherAI's delphi.")
    var delphiCache: String?
    @Option(help: "Seed of the samples.")
    var seed: UInt64 = 0
    @Flag(help: "Replace an earlier index of the dictionary on the same corpus, and the scores that rest on it.")
    var force = false
    @OptionGroup var options: RunOptions

    func run() throws {
        Interruption.watch()
        let indexing = IndexingOptions(
            maximumTokens: tokens, context: context, topContexts: topContexts, sampleContexts: sampleContexts,
            quietContexts: quietContexts, window: window)
        var job = IndexingRun(
            settings: IndexingSettings(
                dictionary: dictionary.dictionary, model: model, modelName: modelName, text: text, corpus: corpus,
                options: indexing, seed: seed, precision: precision),
            workers: options.workers)
        job.delphiCache = delphiCache
        let result = try catalog.write { catalog in
            let progress = options.progress("indexing")
            defer { progress.finish() }
            return try job.run(
                on: catalog, replacing: force, cancelled: { Interruption.isRequested },
                progress: progress.show, remark: StandardStreams.remark)
        }
        if !result.hasUnembedding {
            options.say("\(model) has no unembedding (lm_head.weight): no promoted tokens are listed")
        }
        options.say(
            """
            run \(result.runID): \(Quantities.count(result.tokens)) tokens of \
            \(Quantities.count(result.documents)) documents, explained variance \
            \(Quantities.percentage(result.explainedVariance))
            """)
    }
}

extension RunProgress {
    /// Shows the progress of indexing: in tokens if their number is limited, else in documents.
    func show(_ progress: IndexingProgress) {
        if let limit = progress.maximumTokens {
            update(progress.tokens, of: limit)
        } else {
            let tokens = Quantities.count(progress.tokens)
            update(progress.documents, of: progress.totalDocuments, fields: [("tokens", tokens)])
        }
    }
}
