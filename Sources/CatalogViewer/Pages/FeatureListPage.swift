import ActivationPipeline
import FeatureCatalog
import Indexing
import JSON
import TerminalOutput
import Vocabulary

/// A dictionary's features: filtered, sorted, page by page, all of it in the address.
struct FeatureListPage: Page {
    /// Rows of a page.
    static let rowCount = 40

    /// A row.
    struct Entry {
        let index: Int
        let name: FeatureName
        let feature: FeatureRecord
        let layers: [Int: Double]
        let context: Part<ContextText?>
    }

    let record: DictionaryRecord
    let links: DictionaryLinks
    let index: IndexedDictionary?
    let choice: FeatureChoice
    let entries: [Entry]
    let total: Int?
    let hasMore: Bool
    let problem: ViewerProblem?
    let sortable: [String]

    init(_ visit: Visit) throws {
        let record = try visit.dictionary()
        self.record = record
        links = try visit.links(to: record)
        index = try visit.index(of: record)
        choice = FeatureChoice(visit.query)
        let known = try SummaryColumns(of: visit.catalog)
        sortable = known.sortable.map(\.name).filter { !Self.unsorted.contains($0) }
        guard let index else {
            (entries, total, hasMore, problem) = ([], 0, false, nil)
            return
        }
        let listing: FeatureListing
        do {
            listing = try choice.listing(index.key, of: record, known: known, in: visit.catalog)
        } catch let error where ViewerProblem(error).status == 400 {
            (entries, total, hasMore, problem) = ([], nil, false, ViewerProblem(error))
            return
        }
        let (result, count) = try listing.rows(in: visit.catalog)
        let numbers = result.rows.compactMap { $0[0].wholeNumber }
        let shown = Array(numbers.prefix(Self.rowCount))
        let names = try FeatureName.of(shown, index.key, in: visit.catalog)
        entries = try shown.compactMap { number in
            guard let name = names[number] else { return nil }
            let feature = try visit.catalog.feature(index.key, featureIndex: number)
            let layers = try visit.catalog.featureLayers(index.key, featureIndex: number)
            let fired = Double(max(1, feature.firedCount))
            return Entry(
                index: number, name: name, feature: feature,
                layers: Dictionary(
                    layers.map { ($0.layer, Double($0.firedCount) / fired) }, uniquingKeysWith: { first, _ in first }),
                context: Part {
                    try visit.catalog.contextTexts(index.key, featureIndex: number, band: .top, limit: 1).first
                })
        }
        total = count ?? (choice.isPlain ? record.latentCount : nil)
        hasMore = numbers.count > Self.rowCount
        problem = nil
    }

    /// Columns that are the same in every row, or long.
    private static let unsorted: Set = ["dictionary_id", "dictionary", "corpus_id", "corpus", "explanation_method"]

    var title: String { "Features of \(record.name)" }
    var address: Address { address(from: choice.offset) }
    /// The page of the list that begins with a row.
    func address(from offset: Int) -> Address {
        links.features(choice.fields).with("offset", offset > 0 ? "\(offset)" : nil)
    }
    var path: [(name: String, address: Address)] {
        [("Catalog", .catalog), (record.name, links.dictionary)]
    }
    var section: Shell.Section { .features }
    var dictionaryID: Int64? { record.dictionaryID }

    var json: JSONValue {
        get throws {
            let features = try entries.map { entry -> JSONValue in
                .object([
                    "feature_index": JSONValue(entry.index), "explanation": JSONValue(entry.name.explanation),
                    "top_token": JSONValue(entry.name.topToken), "n_fired": JSONValue(entry.feature.firedCount),
                    "firing_rate": JSONValue(entry.name.firingRate), "max_activation": JSONValue(entry.name.maximum),
                    "peak_layer": JSONValue(entry.name.peakLayer), "simulation_score": JSONValue(entry.name.score),
                    "simulation_baseline": JSONValue(entry.name.baseline),
                    "histogram": .array(entry.feature.histogram.map { JSONValue($0) }),
                    "context": JSONValue(try entry.context.get()?.tokens.joined()),
                ])
            }
            return .object([
                "dictionary": .string(record.name), "corpus": JSONValue(index?.corpus), "total": JSONValue(total),
                "offset": JSONValue(choice.offset), "features": .array(features),
            ])
        }
    }
}
