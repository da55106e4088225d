public import ArgumentParser
public import FeatureCatalog
import TerminalOutput
import Workflows

extension ScoreRecord.Method: ExpressibleByArgument {}

struct CountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "count",
        abstract: "Counts interpretable features by the paper's protocol, exactly, at any threshold.",
        discussion: """
            An activation counts if it is above the threshold. Per class of tokens the two strongest are kept; a \
            feature is interpretable if it has 5 kept contexts or more, of 32 classes or fewer. Both numbers are \
            given, with and without the rule of 32 classes. The paper's threshold of 15 belongs to a width of 2048; \
            for other widths use the relative one, a share of the square root of the width (0.331 in the paper).

            Examples:
              routesae count c.sqlite
              routesae count c.sqlite --threshold 10 15 20
              routesae count c.sqlite --relative-threshold 0.221 0.331 0.442 --by-layer
              routesae count c.sqlite --threshold 15 --print-sql | sqlite3 c.sqlite

            With --by-score, features whose explanation predicts better than chance: those whose score exceeds 95 % \
            of what wrong explanations score, and --min-score. A share comes with its 95 % interval, by bootstrap \
            over the features scored; estimated is that share of all features that were there to be scored; auc is the \
            chance that an explanation scores better than a wrong one.

              routesae count c.sqlite --by-score
              routesae count c.sqlite --by-score --min-score 0.5 --by-layer
            """)

    @OptionGroup var catalog: CatalogArgument
    @OptionGroup var index: IndexOption
    @Option(
        parsing: .upToNextOption,
        help: "Activations count above this; several may be given. The dictionary's own if none is.")
    var threshold: [Double] = []
    @Option(parsing: .upToNextOption, help: "The same as a share of the square root of the width.")
    var relativeThreshold: [Double] = []
    @Flag(help: "Adds rows for the layers in which features fire most.")
    var byLayer = false
    @Flag(help: "Counts features whose explanation predicts better than chance instead.")
    var byScore = false
    @Option(help: "With --by-score: scores have to reach this as well.")
    var minScore: Double?
    @Option(help: "With --by-score: which score, simulation, detection or fuzzing.")
    var method = ScoreRecord.Method.simulation
    @Flag(name: .customLong("print-sql"), help: "Prints the SQL instead of counting; it runs in any SQLite tool.")
    var printsSQL = false
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if byScore, !threshold.isEmpty || !relativeThreshold.isEmpty || printsSQL {
            throw ValidationError("--by-score takes no thresholds and prints no SQL")
        }
        if !byScore, minScore != nil || method != .simulation {
            throw ValidationError("--min-score and --method belong to --by-score; add it")
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
            let indexed = try index.find(in: catalog)
            if byScore { return try countScores(of: indexed, in: catalog) }
            let record = indexed.record
            let root = Double(record.dModel).squareRoot()
            var thresholds = threshold + relativeThreshold.map { $0 * root }
            if thresholds.isEmpty {
                thresholds = [record.activationThreshold]
                StandardStreams.remark(
                    """
                    at the threshold of dictionary "\(record.name)", \
                    \(Quantities.significant(record.activationThreshold)), which is \
                    \(Quantities.significant(record.activationThreshold / root)) · √\(record.dModel)
                    """)
            }
            if printsSQL {
                for value in thresholds { StandardStreams.write(statement(indexed, threshold: value)) }
                return
            }
            let columns = ["threshold", "relative_threshold"] + (byLayer ? ["layer"] : [])
            output.print(
                columns: columns + ["with_class_rule", "without_class_rule", "n_latents"],
                rows: try catalog.countInterpretable(indexed.key, thresholds: thresholds)
                    .flatMap { rows($0, of: indexed, root: root) })
        }
    }

    private func rows(_ count: InterpretableCount, of indexed: IndexedDictionary, root: Double) -> [[Cell]] {
        let start: [Cell] = [.real(count.threshold), .real(count.threshold / root)]
        let end = Cell(indexed.record.latentCount)
        let all = start + (byLayer ? [.null] : []) + [Cell(count.withClassRule), Cell(count.withoutClassRule), end]
        guard byLayer else { return [all] }
        return [all]
            + count.byLayer.map { layer in
                start + [Cell(layer.layer), Cell(layer.withClassRule), Cell(layer.withoutClassRule), end]
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
