import CatalogMaintenance
import FeatureCatalog
import Indexing
import JSON
import TerminalOutput

/// The features of two dictionaries and how they match.
struct MatchingPage {
    let one: DictionaryRecord
    let two: DictionaryRecord
    let matching: FeatureMatching
    /// From the first to the second, for the selected features.
    let forward: FeatureMatching.Summary
    /// From the second to the first.
    let backward: FeatureMatching.Summary
    /// The features of the first that are listed, in order.
    let shown: [Int]
    /// The top tokens of either dictionary's features, if known.
    let tokens: (one: [Int: String], two: [Int: String])

    /// The columns of `rows`.
    static let columns = ["feature_index", "match_index", "cosine", "is_mutual", "top_token", "match_top_token"]

    /// A row for every listed feature; `is_mutual` is 1 for mutual best matches.
    var rows: [[Cell]] {
        shown.compactMap { feature in
            matching.forward[feature].map { match in
                [
                    Cell(feature), Cell(match.featureIndex), .real(Double(match.cosine)),
                    Cell(matching.isMutual(feature) ? 1 : 0), Cell(tokens.one[feature]),
                    Cell(tokens.two[match.featureIndex]),
                ]
            }
        }
    }

    /// The top tokens of a dictionary's features on the corpus indexed last.
    static func topTokens(of record: DictionaryRecord, in catalog: Catalog) throws -> [Int: String] {
        guard let key = try catalog.indexings(dictionaryID: record.dictionaryID).last?.key else { return [:] }
        return try catalog.topTokens(key)
    }

    /// The columns of a table of summaries.
    static let summaryColumns =
        ["features_of", "best_match_in", "n_features", "mean_max_cosine"]
        + FeatureMatching.thresholds.map { "share_above_\($0)" }

    /// A row of such a table.
    static func summaryRow(_ summary: FeatureMatching.Summary, of one: String, in two: String) -> [Cell] {
        [.text(one), .text(two), Cell(summary.count), Cell(summary.meanCosine)] + summary.shares.map { .real($0) }
    }

    /// The page as text.
    func text(style: TerminalStyle) -> String {
        var page = PageText(style: style)
        page.title("features of \(one.name) and \(two.name)")
        page.text += RowPrinter.render(
            columns: Self.summaryColumns,
            rows: [
                Self.summaryRow(forward, of: one.name, in: two.name),
                Self.summaryRow(backward, of: two.name, in: one.name),
            ], format: .table, style: style)
        page.text += "\(Quantities.count(matching.mutualCount)) pairs are each other's best match\n"
        page.section("largest cosine of each feature of \(one.name)")
        page.text += Self.histogram(forward, style: style)
        page.section(
            "features of \(one.name) and their best match in \(two.name)",
            remark: shown.count < forward.count ? "\(shown.count) of \(Quantities.count(forward.count))" : "")
        page.text += RowPrinter.render(columns: Self.columns, rows: rows, format: .table, style: style)
        return page.text
    }

    /// The histogram without the empty bins at its lower end.
    static func histogram(_ summary: FeatureMatching.Summary, style: TerminalStyle) -> String {
        let bins = FeatureMatching.Summary.bins
        // Nearly always there is nothing below 0.
        let first = min(summary.histogram.firstIndex { $0 > 0 } ?? 0, bins / 2)
        let counts = summary.histogram[first...].flatMap { [$0, $0] }
        return HistogramChart(counts: counts, lower: -1 + 2 * Double(first) / Double(bins), upper: 1).draw(style: style)
    }

    /// The page as one object.
    var json: JSONValue {
        .object([
            "dictionary": .string(one.name), "with": .string(two.name),
            "summary": .array([
                Self.json(forward, of: one.name, in: two.name), Self.json(backward, of: two.name, in: one.name),
            ]),
            "n_mutual": JSONValue(matching.mutualCount),
            "features": .array(
                rows.map { .object(JSONObject(columns: Self.columns, row: $0)) }),
        ])
    }

    /// One direction as an object.
    static func json(_ summary: FeatureMatching.Summary, of one: String, in two: String) -> JSONValue {
        var object = JSONObject(columns: summaryColumns, row: summaryRow(summary, of: one, in: two))
        object["histogram"] = .array(summary.histogram.map { JSONValue($0) })
        return .object(object)
    }
}
