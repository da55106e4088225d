import FeatureCatalog
import Indexing
import JSON
import Vocabulary

/// What the list of a folder of pages filters and sorts by: the columns of `feature_summary`, words and token classes of
/// every feature.
struct StaticIndex {
    /// The features by rank in the order of the list as it opens.
    let order: [Int]
    /// The index as data: `order`; `columns` with an array by feature of each; `measures`, the columns whose largest come
    /// first; `words` and `tokens` by feature.
    let json: JSONValue

    /// Features that are read at once.
    private static let piece = 512
    /// Token classes kept of a feature.
    private static let classes = 24
    /// Columns that are the same in every row, or a list.
    private static let unused: Set = [
        "dictionary_id", "dictionary", "corpus_id", "corpus", "explanation_method", "feature_index", "promoted_tokens",
    ]

    /// Reads it.
    ///
    /// - Throws: `CatalogError`, `WorkflowError`.
    init(_ key: IndexingKey, count: Int, in catalog: Catalog) throws {
        let known = try SummaryColumns(of: catalog)
        var listing = FeatureListing(key: key)
        listing.columns = [try known.named("feature_index")]
        let usual = try known.named("max_activation")
        listing.order = usual
        listing.isDescending = usual.isMeasure
        order = try listing.rows(in: catalog).result.rows.compactMap { $0[0].wholeNumber }

        let columns = known.all.filter { !Self.unused.contains($0.name) }
        listing.columns = try columns + [known.named("promoted_tokens")]
        var values = Array(repeating: [JSONValue](repeating: .null, count: count), count: columns.count)
        var words = [JSONValue](repeating: .string(""), count: count)
        var tokens = [JSONValue](repeating: .array([]), count: count)
        for start in stride(from: 0, to: count, by: Self.piece) {
            let features = Array(start..<min(start + Self.piece, count))
            for (feature, row) in try listing.values(of: features, in: catalog) {
                for column in columns.indices { values[column][feature] = JSONValue(row[column]) }
                let context = try? catalog.contextTexts(key, featureIndex: feature, band: .top, limit: 1).first
                let classes = try catalog.featureTokens(key, featureIndex: feature).prefix(Self.classes)
                tokens[feature] = .array(classes.map { .string($0.tokenClass) })
                words[feature] = .string(
                    ([row[columns.count].string].compactMap(\.self) + classes.map(\.tokenClass)
                        + [context?.tokens.joined() ?? ""]).joined(separator: "\n").lowercased())
            }
        }
        json = .object([
            "order": .array(order.map { JSONValue($0) }),
            "columns": .object(JSONObject(zip(columns, values).map { .init(name: $0.name, value: .array($1)) })),
            "measures": .array(columns.filter(\.isMeasure).map { .string($0.name) }),
            "words": .array(words), "tokens": .array(tokens),
        ])
    }
}
