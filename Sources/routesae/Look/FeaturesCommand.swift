import ActivationPipeline
import ArgumentParser
import CatalogMaintenance
import FeatureCatalog
import Indexing
import TerminalOutput

struct FeaturesCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "features",
        abstract: "List features: by their statistics, by similarity to another one, or by what fires on a text.",
        discussion: """
            The columns are those of the view feature_summary; a column that is not among them is answered with the \
            list. Conditions add up.

            With --similar, the features whose decoder rows have the largest cosine with that of one feature. With \
            --fires-on, a text is run through the model, and share is a feature's strongest activation in it as a \
            share of its strongest in the corpus; places are counted in tokens from 0.

            Examples:
              routesae features c.sqlite --layers 5 --min-score 0.5 --sort simulation_score
              routesae features c.sqlite --token begat --alive
              routesae features c.sqlite --where 'p99 > 5' --where 'explanation like %king%'
              routesae features c.sqlite --columns feature_index,p50 --limit 0 --format csv
              routesae features c.sqlite --similar 12 --alive --limit 10
              routesae features c.sqlite --fires-on 'And Adam begat sons' --model Demo/model
              routesae features c.sqlite --fires-on - --model Demo/model --by-token --limit 3 < letter.txt
            """)

    /// The default columns.
    static let standardColumns = [
        "feature_index", "firing_rate", "max_activation", "peak_layer", "layer_entropy", "top_token",
        "simulation_score", "explanation",
    ]

    @OptionGroup var catalog: CatalogArgument
    @OptionGroup var index: IndexOption

    @Option(
        name: .customLong("where"),
        help: ArgumentHelp(
            "Only features of which this holds: COLUMN OP VALUE with = != < <= > >= or like. Several may be given.",
            discussion: "like takes % for any text and _ for one character; null is no value.", valueName: "condition"))
    var conditions: [String] = []
    @Option(help: "Only features that fire most in this layer, or in one of a range such as 3-5.")
    var layers: LayerList?
    @Option(help: "Only features whose explanation has this simulation score or more.")
    var minScore: Double?
    @Flag(
        help: "Only features whose simulation score exceeds 95 % of the baseline scores, those of wrong explanations.")
    var aboveChance = false
    @Option(help: "Only features that fire on this token, whatever its case and the space around it.")
    var token: String?
    @Flag(help: "Only features that fired.")
    var alive = false

    @Option(
        help: ArgumentHelp(
            "Only features that point the same way as this one, the nearest first.", valueName: "feature"))
    var similar: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Only features that fire on this text, with how strongly and where; needs --model.",
            discussion: "A lone '-' reads the text from standard input.", valueName: "text"))
    var firesOn: String?
    @Option(help: "Folder of the language model, for --fires-on.")
    var model: String?
    @Flag(help: "With --fires-on, a row for every token and feature, token after token.")
    var byToken = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Sort by this column; a '-' before it is the same as --descending.",
            discussion: """
                max_activation if not said. Unless told, measures and counts begin with the largest, all else with \
                the smallest. With --fires-on: share, activation or n_tokens; by default share.
                """,
            valueName: "column"))
    var sort: String?
    @Flag(help: "The largest first.")
    var descending = false
    @Flag(help: "The smallest first.")
    var ascending = false

    @Option(help: ArgumentHelp("What to show: column names with commas between them, or all.", valueName: "names"))
    var columns: String?
    @Option(help: "How many features at most; 0 for all. By default 20; with --by-token of each token, and all.")
    var limit: Int?
    @Option(help: "How many features to skip first.")
    var offset = 0
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: RunOptions

    /// The row limit; nil for none.
    var most: Int? {
        let limit = limit ?? (byToken ? 0 : 20)
        return limit == 0 ? nil : limit
    }

    func validate() throws {
        if descending, ascending { throw ValidationError("--descending and --ascending exclude each other") }
        if similar != nil, firesOn != nil { throw ValidationError("--similar and --fires-on exclude each other") }
        if similar != nil, sort != nil || descending || ascending {
            throw ValidationError("--similar lists the nearest first; it takes no --sort")
        }
        if firesOn != nil, model == nil { throw ValidationError("--fires-on needs the model: add --model FOLDER") }
        if firesOn == nil, model != nil || byToken {
            throw ValidationError("--model and --by-token belong to --fires-on; add --fires-on TEXT")
        }
        if byToken, sort != nil || descending || ascending || offset > 0 {
            throw ValidationError("--by-token lists token after token; it takes no --sort and no --offset")
        }
        if let sort, firesOn != nil { _ = try FiringOrder(sort) }
        if let limit, limit < 0 { throw ValidationError("--limit is \(limit); allowed: from 1, or 0 for all") }
        if minScore?.isNaN == true { throw ValidationError("--min-score is not a number") }
        if offset < 0 { throw ValidationError("--offset is \(offset); allowed: from 0") }
    }

    func run() throws {
        try catalog.read { catalog in
            if let firesOn { return try listFirings(on: firesOn, in: catalog) }
            let indexed = try index.find(in: catalog)
            let listing = try listing(of: indexed, in: catalog)
            if let similar { return try listSimilar(to: similar, among: listing, of: indexed.record, in: catalog) }
            let (result, total) = try listing.rows(in: catalog)
            output.print(result)
            guard output.format == .table, let most, result.rows.count == most || offset > 0 else { return }
            let count = try total ?? listing.count(in: catalog)
            guard count > result.rows.count else { return }
            StandardStreams.remark(
                "\(result.rows.count) of \(Quantities.count(count)) features; --limit and --offset show others")
        }
    }

    func listing(of indexed: IndexedDictionary, in catalog: Catalog) throws -> FeatureListing {
        let known = try SummaryColumns(of: catalog)
        var listing = FeatureListing(key: indexed.key)
        listing.columns = try shown(of: known)
        listing.conditions = try conditions.map { try FeatureCondition($0, columns: known) }
        func require(_ column: String, _ comparison: FeatureCondition.Comparison, _ value: CatalogValue) throws {
            listing.conditions.append(FeatureCondition(try known.named(column), comparison, value))
        }
        if let layers = layers?.layers, let first = layers.first, let last = layers.last {
            guard layers == Array(first...last) else {
                throw WorkflowError.usage("--layers takes one layer here, or a range such as 3-5")
            }
            if first == last {
                try require("peak_layer", .equal, .integer(Int64(first)))
            } else {
                try require("peak_layer", .greaterOrEqual, .integer(Int64(first)))
                try require("peak_layer", .lessOrEqual, .integer(Int64(last)))
            }
        }
        if let minScore { try require("simulation_score", .greaterOrEqual, .real(minScore)) }
        if alive { try require("is_dead", .equal, 0) }
        if aboveChance {
            try require("simulation_score", .greater, .real(try chanceLimit(indexed, in: catalog)))
        }
        listing.tokenClass = token.map { TokenClass.text(of: $0) }
        // Only this listing sorts by `--sort`; the others have their own orders.
        let sort = firesOn == nil ? sort ?? "max_activation" : "max_activation"
        let isMarked = sort.hasPrefix("-")
        let order = try known.named(isMarked ? sort.dropFirst() : sort[...])
        guard known.sortable.contains(order) else {
            throw WorkflowError.usage(
                "features are not sorted by \(order.name); 'search TOKEN --scope tokens' lists those that promote a token"
            )
        }
        listing.order = order
        listing.isDescending = descending || (isMarked ? !ascending : !ascending && order.isMeasure)
        listing.limit = most
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

    /// The 95th percentile of the baseline.
    private func chanceLimit(_ indexed: IndexedDictionary, in catalog: Catalog) throws -> Double {
        guard let (limit, scoredCount) = try ScoreFigures.chanceLimit(indexed.key, in: catalog) else {
            throw WorkflowError.refused(
                "dictionary \"\(indexed.record.name)\" has no scores to compare with chance; run 'routesae score' first"
            )
        }
        StandardStreams.remark(
            "95th percentile of chance: \(Quantities.significant(limit)), of \(scoredCount) features scored")
        return limit
    }
}
