import ArgumentParser
import Benchmarks
import FeatureCatalog
import LinearAlgebra
import Scoring
import TerminalOutput

struct BenchmarkScoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "score",
        abstract: "Time offline explaining and scoring: features per second, and against one model run a text.",
        discussion: """
            Nothing is written.

            Example:
              routesae benchmark score demo.sqlite --model Demo/model --sample 50 --format json
            """)

    @OptionGroup var catalog: CatalogArgument
    @OptionGroup var index: IndexOption
    @Option(help: "Folder of the language model.") var model: String
    @Option(help: "How many features, drawn by the seed.") var sample = 50
    @Option(help: "The most tokens of a pattern.") var maximumSuffix = 12
    @Option(help: "Seed of the sample.") var seed: UInt64 = 0
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: RunOptions

    func run() throws {
        let result = try catalog.read { catalog in
            try ScoringBenchmark(
                settings: ScoringSettings(
                    dictionary: index.dictionary, corpus: index.corpus, model: model, sample: sample,
                    maximumSuffix: maximumSuffix, seed: seed)
            ).run(on: catalog, workers: options.workers)
        }
        output.printObject([
            ("features_per_second", .real(result.featuresPerSecond)), ("seconds", .real(result.seconds)),
            ("explain_seconds", .real(result.explainSeconds)), ("separate_seconds", .real(result.separateSeconds)),
            ("ratio", .real(result.ratio)), ("requests", Cell(result.requests)), ("features", Cell(result.features)),
            ("threads", Cell(options.workers.count)),
        ])
    }
}
