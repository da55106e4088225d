import CatalogMaintenance
import CatalogViewer
import FeatureCatalog
import Indexing
import JSON
import TerminalOutput

/// The differences between two catalogs, as text or data.
struct DifferenceReport {
    /// The catalogs' paths as given.
    let a: String
    let b: String
    let difference: CatalogDifference
    /// The worst matching features of each pair of differing dictionaries.
    let worst: [Worst]

    /// Features of two dictionaries.
    struct Worst {
        let matched: CatalogDifference.Matched
        /// Of the first.
        let features: [Int]
        let tokens: (one: [Int: String], other: [Int: String])

        /// The columns of `rows`.
        static let columns = ["feature_a", "feature_b", "cosine", "top_token_a", "top_token_b"]

        /// A row for each feature with its best match.
        var rows: [[Cell]] {
            features.compactMap { feature in
                matched.matching.forward[feature].map { match in
                    [
                        Cell(feature), Cell(match.featureIndex), .real(Double(match.cosine)), Cell(tokens.one[feature]),
                        Cell(tokens.other[match.featureIndex]),
                    ]
                }
            }
        }
    }

    /// The columns of `rows`.
    static let columns = ["section", "subject", "name", "a", "b", "difference"]

    /// A row for every comparison; for worst matching features, `difference` is 1 − cosine.
    var rows: [[Cell]] {
        difference.rows.map { row in
            [
                .text(row.section.rawValue), .text(row.subject), .text(row.name), Cell(row.a), Cell(row.b),
                Cell(row.difference),
            ]
        }
            + worst.flatMap { worst in
                worst.features.compactMap { feature in
                    worst.matched.matching.forward[feature].map { match in
                        [
                            "feature", .text(worst.matched.one.name), "cosine_distance", Cell(feature),
                            Cell(match.featureIndex), .real(1 - Double(match.cosine)),
                        ]
                    }
                }
            }
    }

    /// The report as one object.
    var json: JSONValue {
        .object([
            "a": .string(a), "b": .string(b), "equal": .boolean(difference.isEqual),
            "rows": .array(
                difference.rows.map { row in
                    .object([
                        "section": .string(row.section.rawValue), "subject": .string(row.subject),
                        "name": .string(row.name),
                        "a": JSONValue(row.a), "b": JSONValue(row.b), "difference": JSONValue(row.difference),
                        "differs": .boolean(row.isDifference),
                    ])
                }),
            "matches": .array(
                difference.matched.map { matched in
                    let names = (matched.one.name, matched.other.name)
                    return .object([
                        "a": .string(names.0), "b": .string(names.1),
                        "summary": .array([
                            MatchingPage.json(
                                FeatureMatching.summary(of: matched.matching.forward), of: names.0, in: names.1),
                            MatchingPage.json(
                                FeatureMatching.summary(of: matched.matching.backward), of: names.1, in: names.0),
                        ]),
                    ])
                }),
            "features": .array(
                worst.flatMap { worst in
                    worst.rows.map { row in
                        .object(
                            JSONObject(
                                columns: ["dictionary"] + Worst.columns, row: [.text(worst.matched.one.name)] + row))
                    }
                }),
        ])
    }

    /// The report as text, section by section.
    func text(style: TerminalStyle) -> String {
        guard !difference.isEqual else { return VisibleText.of("\(a) and \(b) are equal") + "\n" }
        var page = PageText(style: style)
        page.field("a", a)
        page.field("b", b)
        for section in CatalogDifference.Section.allCases {
            let rows = difference.rows.filter { $0.section == section }
            guard !rows.isEmpty else { continue }
            page.section(Self.heading(section))
            page.text += RowPrinter.render(
                columns: columns(of: section), rows: rows.map { cells($0) }, format: .table, style: style)
        }
        for worst in worst where !worst.features.isEmpty {
            page.section(
                "features of \(worst.matched.one.name) farthest from their best match",
                remark: "\(worst.features.count) of \(Quantities.count(worst.matched.matching.forward.count))")
            page.text += RowPrinter.render(columns: Worst.columns, rows: worst.rows, format: .table, style: style)
        }
        return page.text
    }

    private static func heading(_ section: CatalogDifference.Section) -> String {
        switch section {
        case .run: "runs"
        case .model: "language models"
        case .corpus: "texts"
        case .dictionary: "dictionaries"
        case .setting: "settings"
        case .match: "features matched by decoder cosine"
        case .index: "indexes"
        case .metric: "figures"
        case .table: "tables whose contents differ"
        case .feature: "features"
        }
    }

    private func columns(of section: CatalogDifference.Section) -> [String] {
        switch section {
        case .run, .model, .corpus, .dictionary, .setting, .index: ["of", "what", "a", "b"]
        case .match: ["dictionary", "figure", "from a to b", "from b to a"]
        case .metric, .feature: ["of", "what", "a", "b", "difference"]
        case .table: ["of", "table"]
        }
    }

    private func cells(_ row: CatalogDifference.Row) -> [Cell] {
        let start: [Cell] = [.text(row.subject), .text(row.name)]
        switch row.section {
        case .run, .model, .corpus, .dictionary, .setting, .index, .match: return start + [short(row.a), short(row.b)]
        case .metric, .feature: return start + [Cell(row.a), Cell(row.b), Cell(row.difference)]
        case .table: return start
        }
    }

    /// A value for a narrow column: digests are shortened.
    private func short(_ value: CatalogValue) -> Cell {
        if case .text(let text) = value, text.utf8.count == 64, text.allSatisfy(\.isHexDigit) {
            return .text(text.prefix(12) + "…")
        }
        return Cell(value)
    }
}
