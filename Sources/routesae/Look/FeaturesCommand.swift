import ArgumentParser
import FeatureCatalog
import FeatureScoring
import TerminalOutput
import Workflows

struct FeaturesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "features",
        abstract: "Lists features, filtered and sorted by any of their figures.",
        discussion: """
            The columns are those of the view feature_summary; a column that is not among them is answered with the \
            list. Conditions add up.

            Examples:
              routesae features c.sqlite --layer 5 --min-score 0.5 --sort simulation_score
              routesae features c.sqlite --token begat --alive
              routesae features c.sqlite --where 'p99 > 5' --where 'explanation like %king%'
              routesae features c.sqlite --columns feature_index,p50 --limit 0 --format csv
            """)

    /// What is shown unless `--columns` says otherwise.
    static let standardColumns = [
        "feature_index", "firing_rate", "max_activation", "peak_layer", "layer_entropy", "top_token",
        "simulation_score", "explanation",
    ]

    @OptionGroup var catalog: CatalogArgument
    @OptionGroup var dictionary: DictionaryOption

    @Option(
        name: .customLong("where"),
        help: ArgumentHelp(
            "Only features of which this holds: COLUMN OP VALUE with = != < <= > >= or like. Several may be given.",
            discussion: "like takes % for any text and _ for one character; null is no value.", valueName: "condition"))
    var conditions: [String] = []
    @Option(help: "Only features that fire most in this layer.")
    var layer: Int?
    @Option(help: "Only features whose explanation has this simulation score or more.")
    var minScore: Double?
    @Flag(help: "Only features whose simulation score exceeds 95 % of those that wrong explanations get.")
    var aboveChance = false
    @Option(help: "Only features that fire on this token, whatever its case and the space around it.")
    var token: String?
    @Flag(help: "Only features that fired at all.")
    var alive = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Sorts by this column; a '-' before it is the same as --descending.",
            discussion: "Unless told, measures and counts begin with the largest, all else with the smallest.",
            valueName: "column"))
    var sort = "max_activation"
    @Flag(help: "The largest first.")
    var descending = false
    @Flag(help: "The smallest first.")
    var ascending = false

    @Option(help: ArgumentHelp("What to show: column names with commas between them, or all.", valueName: "names"))
    var columns: String?
    @Option(help: "How many features at most; 0 for all.")
    var limit = 20
    @Option(help: "How many features to skip first.")
    var offset = 0
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if descending, ascending { throw ValidationError("--descending and --ascending exclude each other") }
        if limit < 0 { throw ValidationError("--limit is \(limit); allowed: from 1, or 0 for all") }
        if minScore?.isNaN == true { throw ValidationError("--min-score is not a number") }
        if offset < 0 { throw ValidationError("--offset is \(offset); allowed: from 0") }
    }

    func run() throws {
        try catalog.read { catalog in
            let record = try IndexedDictionary(named: dictionary.dictionary, in: catalog).record
            let listing = try listing(of: record, in: catalog)
            let result = try listing.rows(in: catalog)
            output.print(result)
            guard output.format == .table, limit > 0, result.rows.count == limit || offset > 0 else { return }
            let count = try listing.count(in: catalog)
            guard count > result.rows.count else { return }
            StandardStreams.remark(
                "\(result.rows.count) of \(Quantities.count(count)) features; --limit and --offset show others")
        }
    }

    private func listing(of record: DictionaryRecord, in catalog: Catalog) throws -> FeatureListing {
        let known = try SummaryColumns(of: catalog)
        var listing = FeatureListing(dictionaryID: record.dictionaryID)
        listing.columns = try shown(of: known)
        listing.conditions = try conditions.map { try FeatureCondition($0, columns: known) }
        func require(_ column: String, _ comparison: FeatureQuery.Comparison, _ value: CatalogValue) throws {
            listing.conditions.append(FeatureCondition(try known.named(column), comparison, value))
        }
        if let layer { try require("peak_layer", .equal, .integer(Int64(layer))) }
        if let minScore { try require("simulation_score", .greaterOrEqual, .real(minScore)) }
        if alive { try require("is_dead", .equal, 0) }
        if aboveChance {
            try require("simulation_score", .greater, .real(try chanceLimit(record, in: catalog)))
        }
        listing.tokenClass = token.map { TokenClass.text(of: $0) }
        let isMarked = sort.hasPrefix("-")
        let order = try known.named(isMarked ? sort.dropFirst() : sort[...])
        listing.order = order
        listing.isDescending = descending || (isMarked ? !ascending : !ascending && order.isMeasure)
        listing.limit = limit == 0 ? nil : limit
        listing.offset = offset
        return listing
    }

    private func shown(of known: SummaryColumns) throws -> [SummaryColumns.Column] {
        guard let columns else { return try Self.standardColumns.map { try known.named($0) } }
        if columns == "all" { return known.all }
        guard columns.contains(where: { $0 != "," && !$0.isWhitespace }) else {
            throw WorkflowError.usage(
                "--columns names none; there are \(known.all.map(\.name).joined(separator: ", "))")
        }
        return try columns.split(separator: ",").map { part in
            try known.named(String(part.drop(while: \.isWhitespace)).prefix { !$0.isWhitespace })
        }
    }

    /// The score that only one wrong explanation in twenty exceeds.
    private func chanceLimit(_ record: DictionaryRecord, in catalog: Catalog) throws -> Double {
        let result = try catalog.rows(
            sql: """
                SELECT simulation_baseline FROM feature_summary
                WHERE dictionary_id = ? AND simulation_baseline IS NOT NULL
                """,
            arguments: [.integer(record.dictionaryID)])
        let scores: [Double?] = result.rows.map { if case .real(let score) = $0[0] { score } else { nil } }
        guard let limit = ChanceBaseline(scores: scores).percentile() else {
            throw WorkflowError.refused(
                "dictionary \"\(record.name)\" has no scores to compare with chance; run 'routesae score' first")
        }
        StandardStreams.remark(
            "95th percentile of chance: \(Quantities.significant(limit)), from \(scores.count) wrong explanations")
        return limit
    }
}
