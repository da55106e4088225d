import ActivationPipeline
import FeatureCatalog
import Foundation
import Indexing

/// Which features are listed, in which order: what the address of the list says.
struct FeatureChoice {
    /// Conditions, as `features` takes them.
    let conditions: [String]
    /// Words in explanations, promoted tokens or contexts.
    let words: String?
    /// A token that they fire on.
    let token: String?
    /// The layer in which they fire most.
    let layer: Int?
    /// Whether dead features are left out.
    let isAlive: Bool
    /// The column to sort by.
    let sort: String
    /// Whether the order is turned round from the usual one of the column.
    let isReversed: Bool
    /// Features to skip.
    let offset: Int
    /// A number that is none.
    private let problem: ViewerProblem?

    /// The column to sort by where none is named.
    static let usualSort = "max_activation"
    /// The features found by words at most.
    private static let mostFound = 500

    init(_ query: FormFields) {
        conditions = query.values("where").flatMap { $0.split(separator: ";") }
            .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        words = query["q"]
        token = query["token"]
        isAlive = query["alive"] != nil
        sort = query["sort"] ?? Self.usualSort
        isReversed = query["order"] == "reversed"
        do throws(ViewerProblem) {
            (layer, offset) = (try query.number("layer", to: 1 << 20), try query.number("offset", to: 1 << 31) ?? 0)
            problem = nil
        } catch {
            (layer, offset, problem) = (nil, 0, error)
        }
    }

    /// Whether all features are listed.
    var isPlain: Bool { conditions.isEmpty && terms == nil && token == nil && layer == nil && !isAlive }

    /// What the words ask for; nil where there is no word among them.
    private var terms: SearchTerms? {
        words.map { SearchTerms($0) }.flatMap { $0.words.isEmpty ? nil : $0 }
    }

    /// The conditions as they are written in one field.
    var condition: String { conditions.joined(separator: "; ") }

    /// The fields of the address, besides the corpus and the offset: those that the list's form sends, in its order.
    var fields: [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        if let words { fields.append(("q", words)) }
        if let token { fields.append(("token", token)) }
        if let layer { fields.append(("layer", "\(layer)")) }
        if !conditions.isEmpty { fields.append(("where", condition)) }
        if sort != Self.usualSort { fields.append(("sort", sort)) }
        if isReversed { fields.append(("order", "reversed")) }
        if isAlive { fields.append(("alive", "1")) }
        return fields
    }

    /// The query.
    ///
    /// - Throws: `ViewerProblem` 400 for a number that is none; `WorkflowError.usage` for a condition or an order that cannot be; `CatalogError`.
    func listing(
        _ key: IndexingKey, of record: DictionaryRecord, known: SummaryColumns, in catalog: Catalog
    ) throws -> FeatureListing {
        if let problem { throw problem }
        var listing = FeatureListing(key: key)
        listing.columns = [try known.named("feature_index")]
        listing.conditions = try conditions.map { try FeatureCondition($0, columns: known) }
        if let layer {
            listing.conditions.append(
                FeatureCondition(try known.named("peak_layer"), .equal, .integer(Int64(layer))))
        }
        if isAlive { listing.conditions.append(FeatureCondition(try known.named("is_dead"), .equal, 0)) }
        listing.tokenClass = token.map { TokenClass.text(of: $0) }
        let order = try known.named(sort)
        guard known.sortable.contains(order) else {
            throw WorkflowError.usage("features are not sorted by \(order.name)")
        }
        listing.order = order
        listing.isDescending = order.isMeasure != isReversed
        listing.limit = FeatureListPage.rowCount + 1
        listing.offset = offset
        if let terms { listing.features = try Self.found(terms, record.dictionaryID, in: catalog) }
        return listing
    }

    /// The features in whose explanation, promoted tokens or contexts words occur.
    private static func found(
        _ terms: SearchTerms, _ dictionaryID: Int64, in catalog: Catalog
    ) throws -> [Int] {
        let hits =
            try catalog.searchExplanations(terms.query, dictionaryID: dictionaryID, limit: mostFound)
            + catalog.searchPromotedTokens(terms.words, dictionaryID: dictionaryID, limit: mostFound)
            + catalog.searchContexts(terms.query, dictionaryID: dictionaryID, limit: mostFound)
        return Set(hits.map(\.featureIndex)).sorted()
    }
}

/// What somebody typed into a search field: words, and phrases between quotes.
struct SearchTerms {
    /// The terms without their quotes.
    let words: [String]
    /// The query for full text: all terms have to occur.
    let query: String

    init(_ text: String) {
        var terms: [(text: String, isPrefix: Bool)] = []
        // U+0000 would end the query for full text.
        let text = text.replacing("\0", with: " ")
        for (number, part) in text.split(separator: "\"", omittingEmptySubsequences: false).enumerated() {
            if number.isMultiple(of: 2) {
                for word in part.split(whereSeparator: \.isWhitespace) {
                    let isPrefix = word.hasSuffix("*")
                    let term = isPrefix ? word.dropLast() : word
                    if !term.isEmpty { terms.append((String(term), isPrefix)) }
                }
            } else if !part.allSatisfy(\.isWhitespace) {
                terms.append((String(part), false))
            }
        }
        words = terms.map(\.text)
        query = terms.map { "\"\($0.text)\"" + ($0.isPrefix ? " *" : "") }.joined(separator: " ")
    }
}
