extension FeatureListing {
    /// The terms after ORDER BY.
    ///
    /// - Parameters:
    ///   - source: The table or view that is sorted.
    ///   - sign: `+` keeps SQLite from using an index.
    func sort(in source: String, sign: String = "") -> String {
        guard let order else { return "feature_index" }
        return "\(sign)\(Self.expression(order, in: source)) \(isDescending ? "DESC" : "ASC") NULLS LAST, feature_index"
    }

    /// An expression that sorts as a column does.
    static func expression(_ column: SummaryColumns.Column, in source: String) -> String {
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
}
