/// Which features of a dictionary are listed, which columns of them, and in which order.
package struct FeatureListing: Sendable {
    /// The dictionary and the corpus.
    package var key: IndexingKey
    /// All of these hold.
    package var conditions: [FeatureCondition] = []
    /// The feature fires on this class of tokens; nil for any.
    package var tokenClass: String?
    /// Only these features; nil for all.
    package var features: [Int]?
    /// Columns to give, of the view `feature_summary`.
    package var columns: [SummaryColumns.Column] = []
    /// The column to sort by; equals, and all if there is none, follow the index. NULLs come last either way.
    package var order: SummaryColumns.Column?
    /// Whether the largest come first.
    package var isDescending = false
    /// How many at most; nil for all.
    package var limit: Int?
    /// How many to skip.
    package var offset = 0

    /// The most features that are found before they are put in order.
    package var fewFeatures = 1024
    /// The most features that are looked at in order, in search of those that are wanted.
    package var mostLookedAt = 4096

    /// Whether many features fire on ``tokenClass``: then others are not looked for among them, but each is asked for it.
    var isTokenFrequent = false

    /// Lists all features of an index, without columns.
    package init(key: IndexingKey) {
        self.key = key
    }

    /// Where features are found: the table does without the view's joins, which take half the time.
    var source: String {
        let ofTheView: Set = ["dictionary", "corpus", "explanation", "explanation_method", "promoted_tokens"]
        return ofTheView.isDisjoint(with: conditions.map(\.column)) ? "feature" : "feature_summary"
    }

    /// What holds for every row of ``source``.
    var filter: String { filter(in: source) }

    /// What holds for every row of a table or view. Names are among the view's own, so they can go into the statement;
    /// values never do.
    func filter(in table: String) -> String {
        var parts = ["dictionary_id = ? AND corpus_id = ?"] + conditions.map(\.sql)
        if tokenClass != nil {
            parts.append(
                isTokenFrequent
                    ? """
                    EXISTS (
                        SELECT 1 FROM feature_token AS t WHERE t.dictionary_id = ? AND t.corpus_id = ?
                            AND t.token_class = ? AND t.feature_index = \(table).feature_index)
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

    var arguments: [CatalogValue] {
        let index: [CatalogValue] = [.integer(key.dictionaryID), .integer(key.corpusID)]
        return index + conditions.map(\.value) + (tokenClass.map { index + [.text($0)] } ?? [])
            + (features.map { [.text("\($0)")] } ?? [])
    }
}
