public import ArgumentParser
import FeatureCatalog
import FeatureScoring
import TerminalOutput
public import Workflows

extension ScoringSettings.Stratum: ExpressibleByArgument {}

struct ScoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score",
        abstract: "Explains features and scores the explanations on contexts they were not made from.",
        discussion: """
            Explanations are the patterns of tokens that a feature needs (Neuron to Graph), found by asking the model. \
            The score is the correlation of the activations they predict with the true ones; beside each stands the \
            same with another feature's explanation, which is chance. No other model is needed.

            Examples:
              routesae score c.sqlite --model Demo/model --sample 100 --seed 1
              routesae score c.sqlite --model Demo/model --features 12 40 99
              routesae score c.sqlite --model Demo/model --sample 200 --stratify layer --where 'firing_rate < 0.01'
              routesae score c.sqlite --model Demo/model --all
            """)

    @OptionGroup var catalog: CatalogArgument
    @OptionGroup var index: IndexOption
    @Option(help: "Folder of the language model; without it the patterns are those seen in the contexts.")
    var model: String?
    @Option(help: "How many features, drawn by the seed.")
    var sample = 100
    @Flag(help: "All features that fired often enough.")
    var all = false
    @Option(parsing: .upToNextOption, help: "Exactly these features.")
    var features: [Int] = []
    @Option(name: .customLong("min-firings"), help: "Features that fired less often are left out.")
    var minimumFirings = 20
    @Option(
        name: .customLong("where"),
        help: ArgumentHelp(
            "Only features of which this holds, as in 'features'; several may be given.", valueName: "condition"))
    var conditions: [String] = []
    @Option(help: "Draws the same share from every tenth by firing rate, or from every layer.")
    var stratify: ScoringSettings.Stratum?
    @Option(help: "The most tokens of a pattern.")
    var maximumSuffix = 12
    @Option(help: "Seed of the sample and of the chance permutation.")
    var seed: UInt64 = 0
    @OptionGroup var options: RunOptions

    func run() throws {
        Interruption.watch()
        let scoring = ScoringRun(
            settings: ScoringSettings(
                dictionary: index.dictionary, corpus: index.corpus, model: model, sample: all ? nil : sample,
                features: features.isEmpty ? nil : features, minimumFirings: minimumFirings,
                conditions: conditions.isEmpty ? nil : conditions, stratum: stratify,
                maximumSuffix: maximumSuffix, seed: seed),
            workers: options.workers)
        let result = try catalog.write { catalog in
            let progress = options.progress("explaining")
            defer { progress.finish() }
            return try scoring.run(
                on: catalog, progress: { done, total in progress.update(done, of: total) },
                cancelled: { Interruption.isRequested })
        }
        let scores = result.scores.compactMap { $0 }
        let chance = ChanceBaseline(scores: result.chance)
        let better = scores.filter { chance.isExceeded(by: $0) ?? false }.count
        options.say(
            """
            run \(result.runID): \(result.features.count) features, \(result.scores.count - scores.count) undefined; \
            mean score \(Quantities.significant(scores.reduce(0, +) / Double(max(scores.count, 1)))), by chance \
            \(Quantities.significant(chance.scores.reduce(0, +) / Double(max(chance.scores.count, 1)))); \
            \(better) above the 95th percentile of chance
            """)
    }
}
