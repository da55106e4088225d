/// A query for features of a dictionary: conditions, columns and order.
package struct FeatureListing: Sendable {
    /// The dictionary and the corpus.
    package var key: IndexingKey
    /// Conditions, all of which hold.
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

    /// The most features collected before sorting.
    package var fewFeatures = 1024
    /// The most features scanned in order.
    package var mostLookedAt = 4096

    /// Whether many features fire on ``tokenClass``: then each candidate is checked, instead of searching them all.
    var isTokenFrequent = false

    /// Lists all features of an index, without columns.
    package init(key: IndexingKey) {
        self.key = key
    }

    /// The table or view queried: the table avoids the view's joins, which take half the time.
    var source: String {
        let ofTheView: Set = ["dictionary", "corpus", "explanation", "explanation_method", "promoted_tokens"]
        return ofTheView.isDisjoint(with: conditions.map(\.column)) ? "feature" : "feature_summary"
    }

    /// The WHERE condition on ``source``.
    var filter: String { filter(in: source) }

    /// The WHERE condition on a table or view. Column names are checked and inserted; values are always
    /// bound.
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
            + (features.map { [.text(Catalog.json($0))] } ?? [])
    }
}
