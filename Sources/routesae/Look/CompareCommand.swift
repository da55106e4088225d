import ActivationPipeline
import ArgumentParser
import CatalogMaintenance
import FeatureCatalog
import FeatureScoring
import Indexing
import TerminalOutput
import Vocabulary

struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "compare",
        abstract: "Compare the dictionaries of a catalog, their configurations, or the features of two of them.",
        discussion: """
            A row for every dictionary and corpus it was indexed on. explained_variance, n_alive and \
            mean_active_per_token (L0) are of the corpus; with_class_rule and without_class_rule count interpretable \
            features as 'routesae count' does; share_above_chance is the share of the features with a simulation \
            explanation that exceed 95 % of what wrong explanations score, undefined scores among those that do \
            not. Intervals are 95 %, by bootstrap over the features scored.

            With --features, every feature of --dictionary with the one of --with whose decoder row has the largest \
            cosine; the mean of those cosines says how much the two have in common. Both ways are summed up, as json \
            in one object with the rows; other formats have the rows alone.

            With --by-configuration, the newest figures of 'routesae evaluate': a row for every \
            metric and configuration, with the mean over dictionaries that differ in nothing but the seed, and the \
            difference to --against, by default the best configuration of one layer, chosen for each metric. \
            smallest_claim is the smallest difference that may be claimed, by what differs between seeds (95 %); \
            holds says whether the difference is larger.

            Examples:
              routesae compare c.sqlite
              routesae compare c.sqlite --by-configuration --metric census coverage kl
              routesae compare c.sqlite --relative-threshold 0.221 0.331 --format markdown
              routesae compare c.sqlite --features --dictionary route-m2048-k32 --with topk-m2048-k32
              routesae compare c.sqlite --features --dictionary a --with b --farthest --alive --limit 0 --format csv
            """)

    @OptionGroup var catalog: CatalogArgument
    @Option(
        parsing: .upToNextOption,
        help: "Count activations above this; several may be given. By default each dictionary's own.")
    var threshold: [Double] = []
    @Option(parsing: .upToNextOption, help: "The same as a share of the square root of the width.")
    var relativeThreshold: [Double] = []

    @Flag(help: "Compare configurations by the figures of evaluations, over their seeds.")
    var byConfiguration = false
    @Option(parsing: .upToNextOption, help: "Only these metrics; by default all.")
    var metric: [String] = []
    @Option(help: "The dictionary whose configuration the others are compared with, by name or number.")
    var against: String?
    @Flag(help: "Figures of single layers as well.")
    var byLayer = false
    @Flag(help: "Match the features of two dictionaries.")
    var features = false
    @Option(help: "The dictionary whose features are listed, by name or number.")
    var dictionary: String?
    @Option(name: .customLong("with"), help: "The dictionary they are matched with, by name or number.")
    var other: String?
    @Flag(help: "Only features that fired on some text.")
    var alive = false
    @Flag(help: "Features with the smallest cosine first, which the other dictionary lacks.")
    var farthest = false
    @Option(help: "How many features at most; 0 for all.")
    var limit = 20
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: RunOptions

    func validate() throws {
        for (name, values) in [("--threshold", threshold), ("--relative-threshold", relativeThreshold)] {
            for value in values where !(value.isFinite && value >= 0) {
                throw ValidationError("\(name) is \(value); allowed: numbers from 0")
            }
        }
        if limit < 0 { throw ValidationError("--limit is \(limit); allowed: from 1, or 0 for all") }
        if byConfiguration {
            if features || !threshold.isEmpty || !relativeThreshold.isEmpty {
                throw ValidationError("--by-configuration takes neither --features nor thresholds")
            }
        } else if !metric.isEmpty || against != nil || byLayer {
            throw ValidationError("--metric, --against and --by-layer belong to --by-configuration; add it")
        }
        if features {
            if dictionary == nil || other == nil {
                throw ValidationError("--features compares two: name them with --dictionary and --with")
            }
            if !threshold.isEmpty || !relativeThreshold.isEmpty {
                throw ValidationError("--features counts nothing; it takes no thresholds")
            }
        } else if dictionary != nil || other != nil || alive || farthest {
            throw ValidationError("--dictionary, --with, --alive and --farthest belong to --features; add it")
        }
    }

    func run() throws {
        try catalog.read { catalog in
            if features { return try compareFeatures(in: catalog) }
            if byConfiguration { return try compareSeeds(in: catalog) }
            let figures = try DictionaryFigures.all(in: catalog)
            output.print(columns: Self.columns, rows: try figures.flatMap { try rows(of: $0, in: catalog) })
            if figures.isEmpty, output.format == .table { StandardStreams.remark("there is no dictionary yet") }
        }
    }

    private static let columns = [
        "dictionary", "corpus", "architecture", "layers", "n_latents", "k", "final_loss", "explained_variance",
        "norm_mse", "kl", "recovered",
        "n_alive", "n_dead", "mean_active_per_token", "mean_layer_entropy", "threshold", "with_class_rule",
        "without_class_rule", "with_class_rule_low", "with_class_rule_high", "n_explained", "mean_simulation_score",
        "mean_score_low", "mean_score_high",
        "mean_simulation_baseline", "share_above_chance", "share_low", "share_high",
    ]

    /// A row for every threshold.
    private func rows(of figures: DictionaryFigures, in catalog: Catalog) throws -> [[Cell]] {
        let record = figures.dictionary
        let root = CountingThreshold.unit(of: record)
        var thresholds = threshold + relativeThreshold.map { $0 * root }
        if thresholds.isEmpty { thresholds = [record.activationThreshold] }
        let scores = try figures.key.map { try ScoreFigures.of($0, in: catalog) }??.all
        return try thresholds.map { threshold in
            let count = try figures.key.map { try catalog.countInterpretable($0, threshold: threshold) }
            let range = count.map { BootstrapInterval(count: $0.withClassRule, of: record.latentCount) }
            return [
                .text(record.name), Cell(figures.corpus?.name), .text(record.architecture.rawValue),
                .text(LayerSpan.text(of: record.layers)), Cell(record.latentCount), Cell(record.k),
                Cell(figures.finalLoss), Cell(figures.explainedVariance),
                Cell(figures.normMSE), Cell(figures.kl), Cell(figures.recovered), Cell(figures.aliveCount),
                Cell(figures.deadCount), Cell(figures.meanActivePerToken), Cell(figures.meanLayerEntropy),
                .real(threshold), Cell(count?.withClassRule), Cell(count?.withoutClassRule),
                Cell(range.map { Int($0.low) }), Cell(range.map { Int($0.high) }),
                Cell(figures.explainedCount), Cell(scores?.meanScore?.mean), Cell(scores?.meanScore?.low),
                Cell(scores?.meanScore?.high), Cell(scores?.meanChance), Cell(scores?.share?.mean),
                Cell(scores?.share?.low), Cell(scores?.share?.high),
            ]
        }
    }
}
