import ActivationPipeline
import ArgumentParser
import FeatureCatalog
import FeatureScoring
import Indexing
import TerminalOutput
import Vocabulary

extension ScoreMethod: ExpressibleByArgument {}

struct CountCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "count",
        abstract: "Count interpretable features by the paper's protocol, exactly, at any threshold.",
        discussion: """
            An activation counts if it is above the threshold. Per class of tokens the two strongest are kept; a \
            feature is interpretable if it has 5 kept contexts or more, of 32 classes or fewer. Both numbers are \
            given, with and without the rule of 32 classes, each with the 95 % interval of its bootstrap over the \
            latents. The paper's threshold of 15 belongs to a width of 2048; for other widths use the relative one, a \
            share of the square root of the width that is read (0.331 in the paper; a crosscoder reads all its layers' \
            widths).

            Examples:
              routesae count c.sqlite
              routesae count c.sqlite --threshold 10 15 20
              routesae count c.sqlite --relative-threshold 0.221 0.331 0.442 --by-layer
              routesae count c.sqlite --threshold 10 15 20 --all-dictionaries
              routesae count c.sqlite --threshold 15 --print-sql | sqlite3 c.sqlite

            With --by-score, features whose explanation predicts better than chance: those whose score exceeds 95 % \
            of what wrong explanations score, and --min-score. A share comes with its 95 % interval, by bootstrap \
            over the features scored; estimated is that share of all features that the sample was drawn from (not given \
            where conditions or numbers picked the features); auc is the chance that an explanation scores better than \
            a wrong one. Scores of different scorers are not mixed: those of the last one count, or of --scorer.

              routesae count c.sqlite --by-score
              routesae count c.sqlite --by-score --min-score 0.5 --by-layer
            """)

    @OptionGroup var catalog: CatalogArgument
    @OptionGroup var index: IndexOption
    @Option(
        parsing: .upToNextOption,
        help: "Count activations above this; several may be given. By default the dictionary's own.")
    var threshold: [Double] = []
    @Option(parsing: .upToNextOption, help: "The same as a share of the square root of the width.")
    var relativeThreshold: [Double] = []
    @Flag(help: "All dictionaries that are indexed, one after another, with their architectures.")
    var allDictionaries = false
    @Flag(help: "Add rows for the layers in which features fire most.")
    var byLayer = false
    @Flag(help: "Count features whose explanation scores above the baseline instead.")
    var byScore = false
    @Option(help: "With --by-score: scores have to reach this as well.")
    var minScore: Double?
    @Option(help: "With --by-score: which score, simulation, detection or fuzzing.")
    var method = ScoreMethod.simulation
    @Option(
        help: ArgumentHelp(
            "With --by-score: the scorer, n2g or a language model's name; by default the last one.",
            valueName: "name"))
    var scorer: String?
    @Flag(name: .customLong("print-sql"), help: "Print the SQL instead of counting; it runs in any SQLite tool.")
    var printsSQL = false
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if byScore, !threshold.isEmpty || !relativeThreshold.isEmpty || printsSQL {
            throw ValidationError("--by-score takes no thresholds and prints no SQL")
        }
        if !byScore, minScore != nil || scorer != nil || method != .simulation {
            throw ValidationError("--min-score, --method and --scorer belong to --by-score; add it")
        }
        if allDictionaries, index.dictionary != nil || printsSQL {
            throw ValidationError("--all-dictionaries takes no --dictionary and prints no SQL")
        }
        if method == .rubric { throw ValidationError("--method rubric has no chance to compare with") }
        if minScore?.isNaN == true { throw ValidationError("--min-score is not a number") }
        for (name, values) in [("--threshold", threshold), ("--relative-threshold", relativeThreshold)] {
            for value in values where !(value.isFinite && value >= 0) {
                throw ValidationError("\(name) is \(value); allowed: numbers from 0")
            }
        }
    }

    func run() throws {
        try catalog.read { catalog in
            let counted = try dictionaries(in: catalog)
            if byScore { return try countScores(of: counted, in: catalog) }
            if printsSQL {
                for value in thresholds(of: counted[0].record) {
                    StandardStreams.write(statement(counted[0], threshold: value))
                }
                return
            }

            let columns = ["threshold", "relative_threshold"] + (byLayer ? ["layer"] : [])
            output.print(
                columns: names + columns + [
                    "with_class_rule", "without_class_rule", "n_latents", "with_class_rule_low", "with_class_rule_high",
                    "without_class_rule_low", "without_class_rule_high",
                ],
                rows: try counted.flatMap { indexed in
                    try catalog.countInterpretable(indexed.key, thresholds: thresholds(of: indexed.record))
                        .flatMap { rows($0, of: indexed) }
                })
        }
    }

    /// The dictionaries to count: one, or every one with an index.
    private func dictionaries(in catalog: Catalog) throws -> [IndexedDictionary] {
        guard allDictionaries else { return [try index.find(in: catalog)] }
        let indexed = try catalog.dictionaries().filter {
            try !catalog.indexings(dictionaryID: $0.dictionaryID).isEmpty
        }
        guard !indexed.isEmpty else {
            throw WorkflowError.refused("no dictionary has statistics yet; run 'routesae index' first")
        }
        return try indexed.map { record in
            try IndexedDictionary(record, corpus: index.corpus, in: catalog)
        }
    }

    /// The columns that identify dictionaries.
    var names: [String] { allDictionaries ? ["dictionary", "corpus", "architecture"] : [] }

    /// Their cells.
    func name(_ indexed: IndexedDictionary) -> [Cell] {
        guard allDictionaries else { return [] }
        return [.text(indexed.record.name), .text(indexed.corpus), .text(indexed.record.architecture.rawValue)]
    }

    private func thresholds(of record: DictionaryRecord) -> [Double] {
        let root = CountingThreshold.unit(of: record)
        let chosen = threshold + relativeThreshold.map { $0 * root }
        guard chosen.isEmpty else { return chosen }
        StandardStreams.remark(
            """
            at the threshold of dictionary "\(record.name)", \
            \(Quantities.significant(record.activationThreshold)), which is \
            \(Quantities.significant(record.activationThreshold / root)) · √\(Int((root * root).rounded()))
            """)
        return [record.activationThreshold]
    }

    private func rows(_ count: InterpretableCount, of indexed: IndexedDictionary) -> [[Cell]] {
        let root = CountingThreshold.unit(of: indexed.record)
        let start = name(indexed) + [.real(count.threshold), .real(count.threshold / root)]
        let all = start + (byLayer ? [.null] : []) + cells(count.withClassRule, count.withoutClassRule, indexed)
        guard byLayer else { return [all] }
        return [all]
            + count.byLayer.map { layer in
                start + [Cell(layer.layer)] + cells(layer.withClassRule, layer.withoutClassRule, indexed)
            }
    }

    private func cells(_ ruled: Int, _ unruled: Int, _ indexed: IndexedDictionary) -> [Cell] {
        let latents = indexed.record.latentCount
        return [Cell(ruled), Cell(unruled), Cell(latents)]
            + [ruled, unruled].flatMap { count -> [Cell] in
                let interval = BootstrapInterval(count: count, of: latents)
                return [Cell(Int(interval.low)), Cell(Int(interval.high))]
            }
    }

    /// The statement with its parameters filled in. The comment comes last, as an argument that begins with dashes
    /// would be taken for an option.
    private func statement(_ indexed: IndexedDictionary, threshold: Double) -> String {
        Catalog.countingSQL.replacing(":dictionary", with: "\(indexed.key.dictionaryID)")
            .replacing(":corpus", with: "\(indexed.key.corpusID)").replacing(":threshold", with: "\(threshold)")
            + ";  -- dictionary \"\(VisibleText.of(indexed.record.name))\", threshold \(threshold)\n"
    }
}
