import FeatureCatalog
import Indexing

/// Which features of a dictionary are listed, which columns of them, and in which order.
struct FeatureListing {
    /// The dictionary and the corpus.
    var key: IndexingKey
    /// All of these hold.
    var conditions: [FeatureCondition] = []
    /// The feature fires on this class of tokens; nil for any.
    var tokenClass: String?
    /// Only these features; nil for all.
    var features: [Int]?
    /// Columns to give, of the view `feature_summary`.
    var columns: [SummaryColumns.Column] = []
    /// The column to sort by; equals, and all if there is none, follow the index. NULLs come last either way.
    var order: SummaryColumns.Column?
    /// Whether the largest come first.
    var isDescending = false
    /// How many at most; nil for all.
    var limit: Int?
    /// How many to skip.
    var offset = 0

    /// Whether many features fire on ``tokenClass``: then others are not looked for among them, but each is asked for it.
    var isTokenFrequent = false

    /// The most features that are found before they are put in order.
    private static let fewFeatures = 1024
    /// The most features that are looked at in order, in search of those that are wanted.
    private static let mostLookedAt = 4096

    /// The rows, and how many there are without a limit, nil where that was not worth finding out.
    ///
    /// First the features are found, by nothing but what they are found and sorted by; what is shown of them is then
    /// read for those few.
    func rows(in catalog: Catalog) throws -> (result: QueryResult, total: Int?) {
        var listing = self
        if let tokenClass, !conditions.isEmpty {
            let another = try catalog.rows(
                sql: """
                    SELECT 1 FROM feature_token WHERE dictionary_id = ? AND corpus_id = ? AND token_class = ?
                    LIMIT 1 OFFSET \(Self.mostLookedAt)
                    """,
                arguments: [.integer(key.dictionaryID), .integer(key.corpusID), .text(tokenClass)])
            listing.isTokenFrequent = !another.rows.isEmpty
        }
        guard let limit else { return (try listing.allRows(in: catalog), nil) }
        let chosen = try listing.page(limit, in: catalog)
        let values = try values(of: chosen.features, in: catalog)
        return (
            QueryResult(columns: columns.map(\.name), rows: chosen.features.compactMap { values[$0] }), chosen.total
        )
    }

    /// How many there are without a limit.
    func count(in catalog: Catalog) throws -> Int {
        let sql: String
        if let tokenClass, conditions.isEmpty, features == nil {
            sql = "SELECT count(*) FROM feature_token WHERE dictionary_id = ? AND corpus_id = ? AND token_class = ?"
            return try Self.number(
                catalog.rows(
                    sql: sql, arguments: [.integer(key.dictionaryID), .integer(key.corpusID), .text(tokenClass)]))
        }
        sql = "SELECT count(*) FROM \(source) WHERE \(filter)"
        return try Self.number(catalog.rows(sql: sql, arguments: arguments))
    }

    /// Where features are found: the table does without the view's joins, which take half the time.
    private var source: String {
        let ofTheView: Set = ["dictionary", "corpus", "explanation", "explanation_method", "promoted_tokens"]
        return ofTheView.isDisjoint(with: conditions.map(\.column)) ? "feature" : "feature_summary"
    }

    private func allRows(in catalog: Catalog) throws -> QueryResult {
        let names = columns.map { "\"\($0.name)\"" }.joined(separator: ", ")
        return try catalog.rows(
            sql:
                "SELECT \(names) FROM feature_summary WHERE \(filter) ORDER BY \(sort(in: "feature_summary")) LIMIT -1 OFFSET ?",
            arguments: arguments + [.integer(Int64(offset))])
    }

    /// The features of a page, in order.
    private func page(_ limit: Int, in catalog: Catalog) throws -> (features: [Int], total: Int?) {
        let end: [CatalogValue] = [.integer(Int64(limit)), .integer(Int64(offset))]
        guard !conditions.isEmpty || tokenClass != nil || features != nil else {
            // An index has them in order, or all are looked at.
            let result = try catalog.rows(
                sql:
                    "SELECT feature_index FROM \(source) WHERE \(filter) ORDER BY \(sort(in: source)) LIMIT ? OFFSET ?",
                arguments: arguments + end)
            return (Self.numbers(result), nil)
        }
        // Without an order, SQLite goes by the conditions and not by the order, for which it might walk through all
        // features in search of the few that are wanted.
        let found = Self.numbers(
            try catalog.rows(
                sql: "SELECT feature_index FROM \(source) WHERE \(filter) LIMIT \(Self.fewFeatures + 1)",
                arguments: arguments))
        if found.count <= Self.fewFeatures {
            guard order != nil else {
                return (Array(found.sorted().dropFirst(offset).prefix(limit)), found.count)
            }

            var few = FeatureListing(key: key)
            few.features = found
            few.order = order
            few.isDescending = isDescending
            let result = try catalog.rows(
                sql: """
                    SELECT feature_index FROM \(source) WHERE \(few.filter)
                    ORDER BY \(few.sort(in: source, sign: "+")) LIMIT ? OFFSET ?
                    """,
                arguments: few.arguments + end)
            return (Self.numbers(result), found.count)
        }

        let (last, isOverflow) = offset.addingReportingOverflow(limit)
        if !isOverflow, let first = try firstInOrder(last, in: catalog) {
            return (Array(first.dropFirst(offset)), nil)
        }

        let key = order.map { ", \(Self.expression($0, in: source)) AS sorted" } ?? ""
        let sort = order == nil ? "feature_index" : "sorted \(isDescending ? "DESC" : "ASC") NULLS LAST, feature_index"
        let result = try catalog.rows(
            sql: """
                WITH found AS MATERIALIZED (SELECT feature_index\(key) FROM \(source) WHERE \(filter))
                SELECT feature_index, (SELECT count(*) FROM found) FROM found ORDER BY \(sort) LIMIT ? OFFSET ?
                """,
            arguments: arguments + end)
        guard case .integer(let total)? = result.rows.first?.last else { return ([], nil) }
        return (Self.numbers(result), Int(total))
    }

    /// So many features, the first of those wanted, if they are soon found among all in their order; nil if not.
    private func firstInOrder(_ count: Int, in catalog: Catalog) throws -> [Int]? {
        guard features == nil, count <= Self.fewFeatures else { return nil }
        let names = Set(conditions.map(\.column) + ["feature_index"]).sorted().map { "\"\($0)\"" }
        var filter = conditions.map(\.sql)
        var values: [CatalogValue] = [.integer(key.dictionaryID), .integer(key.corpusID)] + conditions.map(\.value)
        if let tokenClass {
            filter.append(
                """
                EXISTS (SELECT 1 FROM feature_token AS t WHERE t.dictionary_id = ? AND t.corpus_id = ?
                    AND t.feature_index = ordered.feature_index AND t.token_class = ?)
                """)
            values += [.integer(key.dictionaryID), .integer(key.corpusID), .text(tokenClass)]
        }

        let result = try catalog.rows(
            sql: """
                SELECT feature_index FROM (
                    SELECT \(names.joined(separator: ", ")) FROM \(source)
                    WHERE dictionary_id = ? AND corpus_id = ? ORDER BY \(sort(in: source)) LIMIT \(Self.mostLookedAt)
                ) AS ordered WHERE \(filter.joined(separator: " AND ")) LIMIT ?
                """,
            arguments: values + [.integer(Int64(count))])
        return result.rows.count == count ? Self.numbers(result) : nil
    }

    private static func number(_ result: QueryResult) -> Int {
        guard case .integer(let number)? = result.rows.first?.first else { return 0 }
        return Int(number)
    }

    private static func numbers(_ result: QueryResult) -> [Int] {
        result.rows.compactMap { if case .integer(let index) = $0[0] { Int(index) } else { nil } }
    }

    /// What follows ORDER BY.
    ///
    /// - Parameters:
    ///   - source: The table or view that is sorted.
    ///   - sign: `+` keeps SQLite from taking an index for it.
    private func sort(in source: String, sign: String = "") -> String {
        guard let order else { return "feature_index" }
        return "\(sign)\(Self.expression(order, in: source)) \(isDescending ? "DESC" : "ASC") NULLS LAST, feature_index"
    }

    /// What sorts as a column does.
    private static func expression(_ column: SummaryColumns.Column, in source: String) -> String {
        switch column.name {
        // All firing rates are shares of the same number, and there is an index of them.
        case "n_fired": "firing_rate"
        // All features listed are of one dictionary and one corpus.
        case "dictionary": "dictionary_id"
        case "corpus": "corpus_id"
        case "explanation" where source == "feature": ofExplanation("text")
        case "explanation_method" where source == "feature": ofExplanation("method")
        default: "\"\(column.name)\""
        }
    }

    private static func ofExplanation(_ column: String) -> String {
        """
        CASE WHEN explanation_id IS NOT NULL THEN
            (SELECT e.\(column) FROM explanation AS e WHERE e.explanation_id = feature.explanation_id) END
        """
    }

    /// The features that its conditions leave, whatever the limit; nil if it has none.
    func featuresLeft(in catalog: Catalog) throws -> Set<Int>? {
        guard !conditions.isEmpty || tokenClass != nil else { return nil }
        let result = try catalog.rows(
            sql: "SELECT feature_index FROM feature_summary WHERE \(filter)", arguments: arguments)
        return Set(result.rows.compactMap { if case .integer(let index) = $0[0] { Int(index) } else { nil } })
    }

    /// The columns of some features, by number.
    func values(of features: [Int], in catalog: Catalog) throws -> [Int: [CatalogValue]] {
        var listing = FeatureListing(key: key)
        listing.features = features
        let names = (["feature_index"] + columns.map(\.name)).map { "\"\($0)\"" }.joined(separator: ", ")
        let result = try catalog.rows(
            sql: "SELECT \(names) FROM feature_summary WHERE \(listing.filter)", arguments: listing.arguments)
        return Dictionary(
            result.rows.compactMap { row -> (Int, [CatalogValue])? in
                if case .integer(let index) = row[0] { (Int(index), Array(row.dropFirst())) } else { nil }
            }, uniquingKeysWith: { first, _ in first })
    }

    /// What holds for every row. Names are among the view's own, so they can go into the statement; values never do.
    private var filter: String {
        var parts = ["dictionary_id = ? AND corpus_id = ?"] + conditions.map(\.sql)
        if tokenClass != nil {
            parts.append(
                isTokenFrequent
                    ? """
                    EXISTS (
                        SELECT 1 FROM feature_token AS t WHERE t.dictionary_id = ? AND t.corpus_id = ?
                            AND t.token_class = ? AND t.feature_index = \(source).feature_index)
                    """
                    : """
                    feature_index IN (
                        SELECT feature_index FROM feature_token
                        WHERE dictionary_id = ? AND corpus_id = ? AND token_class = ?)
                    """)
        }
        if features != nil { parts.append("feature_index IN (SELECT value FROM json_each(?))") }
        return parts.joined(separator: " AND ")
    }

    private var arguments: [CatalogValue] {
        let index: [CatalogValue] = [.integer(key.dictionaryID), .integer(key.corpusID)]
        return index + conditions.map(\.value) + (tokenClass.map { index + [.text($0)] } ?? [])
            + (features.map { [.text("\($0)")] } ?? [])
    }
}
