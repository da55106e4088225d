import FeatureCatalog

/// Which features of a dictionary are listed, which columns of them, and in which order.
struct FeatureListing {
    /// The dictionary.
    var dictionaryID: Int64
    /// All of these hold.
    var conditions: [FeatureCondition] = []
    /// The feature fires on this class of tokens; nil for any.
    var tokenClass: String?
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

    /// The rows.
    func rows(in catalog: Catalog) throws -> QueryResult {
        let names = columns.map { "\"\($0.name)\"" }.joined(separator: ", ")
        var sort = "feature_index"
        if let order { sort = "\"\(order.name)\" \(isDescending ? "DESC" : "ASC") NULLS LAST, " + sort }
        return try catalog.rows(
            sql: "SELECT \(names) FROM feature_summary WHERE \(filter) ORDER BY \(sort) LIMIT ? OFFSET ?",
            arguments: arguments + [.integer(Int64(limit ?? -1)), .integer(Int64(offset))])
    }

    /// How many there are without a limit.
    func count(in catalog: Catalog) throws -> Int {
        let result = try catalog.rows(
            sql: "SELECT count(*) FROM feature_summary WHERE \(filter)", arguments: arguments)
        guard case .integer(let count)? = result.rows.first?.first else { return 0 }
        return Int(count)
    }

    /// What holds for every row. Names are among the view's own, so they can go into the statement; values never do.
    private var filter: String {
        var parts = ["dictionary_id = ?"] + conditions.map(\.sql)
        if tokenClass != nil {
            parts.append(
                "feature_index IN (SELECT feature_index FROM feature_token WHERE dictionary_id = ? AND token_class = ?)"
            )
        }
        return parts.joined(separator: " AND ")
    }

    private var arguments: [CatalogValue] {
        [.integer(dictionaryID)] + conditions.map(\.value)
            + (tokenClass.map { [.integer(dictionaryID), .text($0)] } ?? [])
    }
}
