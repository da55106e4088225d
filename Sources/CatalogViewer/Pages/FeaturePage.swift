import ActivationPipeline
import FeatureCatalog
import FeatureScoring
import Indexing
import JSON
import Vocabulary

/// One feature: what it means, where it fires, how strongly, what it does.
struct FeaturePage: Page {
    /// Contexts of each band, unless all are asked for.
    static let contextCounts: [ContextBand: Int] = [.top: 16, .sample: 10, .quiet: 4]
    /// The most baseline scores read; more would hardly move their percentile.
    private static let mostChanceScores = 1000
    /// The most contexts of a band on a page that shows all.
    private static let mostContexts = 100

    /// A score with the baseline scores of its run.
    struct Judged {
        let score: ScoreRecord
        let chance: ChanceBaseline
    }

    let record: DictionaryRecord
    let links: DictionaryLinks
    let index: IndexedDictionary
    let number: Int
    let feature: FeatureRecord
    let name: FeatureName?
    let layers: Part<[FeatureLayerRecord]>
    let tokens: Part<[FeatureTokenRecord]>
    let logits: Part<[(logit: FeatureLogit, text: String?)]>
    let logitHistogram: Part<LinearHistogram?>
    let neighbors: Part<[FeatureNeighbor]>
    let cofirings: Part<[CofiringRecord]>
    let contexts: [(band: ContextBand, part: Part<[ContextText]>)]
    let explanations: Part<[ExplanationRecord]>
    let scores: Part<[Judged]>
    let reviews: Part<[ReviewRecord]>
    let interventions: Part<[InterventionRecord]>
    let others: [Int: FeatureName]
    let model: LanguageModelRecord?
    /// The corpora that the dictionary is indexed on.
    let corpora: [CorpusRecord]
    let showsAll: Bool
    /// Whether texts can be steered with it.
    let hasModel: Bool
    /// The command that makes the index again.
    let reindexing: String
    /// The command that shows the same.
    let command: String
    private let report: () throws -> FeatureReport

    init(_ visit: Visit) throws {
        let catalog = visit.catalog
        let record = try visit.dictionary()
        let number = try visit.feature(of: record)
        guard let index = try visit.index(of: record) else {
            throw ViewerProblem(404, "dictionary \"\(record.name)\" has no statistics yet; run 'routesae index' first")
        }
        let (key, id) = (index.key, record.dictionaryID)
        (self.record, self.index, self.number) = (record, index, number)
        links = try visit.links(to: record)
        showsAll = visit.query["contexts"] == "all"
        hasModel = visit.site.prompts != nil
        reindexing = visit.site.spelling("routesae index CATALOG `overwriting`")
        command = visit.site.spelling("routesae feature CATALOG \(number) `dictionary` \(id)")
        let most = showsAll ? Self.mostContexts : nil
        feature = try catalog.feature(key, featureIndex: number)
        name = try FeatureName.of([number], key, in: catalog)[number]
        layers = Part { try catalog.featureLayers(key, featureIndex: number) }
        tokens = Part { try catalog.featureTokens(key, featureIndex: number) }
        logits = Part { try Self.logits(of: number, index, in: catalog) }
        logitHistogram = Part { try catalog.logitHistogram(dictionaryID: id, featureIndex: number) }
        neighbors = Part { try catalog.neighbors(dictionaryID: id, featureIndex: number) }
        cofirings = Part { try catalog.cofirings(key, featureIndex: number) }
        contexts = ContextBand.allCases.map { band in
            (
                band,
                Part {
                    try catalog.contextTexts(
                        key, featureIndex: number, band: band, limit: most ?? Self.contextCounts[band] ?? 8)
                }
            )
        }
        explanations = Part {
            try catalog.explanations(dictionaryID: id, featureIndex: number)
                .filter { $0.corpusID == key.corpusID }.reversed()
        }
        scores = Part {
            try catalog.scores(dictionaryID: id, featureIndex: number).filter { $0.corpusID == key.corpusID }.reversed()
                .map { score in
                    Judged(
                        score: score,
                        chance: ChanceBaseline(
                            scores: try catalog.chanceScores(
                                runID: score.runID, dictionaryID: id, method: score.method,
                                limit: Self.mostChanceScores)))
                }
        }
        reviews = Part { try catalog.reviews(dictionaryID: id, featureIndex: number) }
        interventions = Part { try catalog.interventions(dictionaryID: id, featureIndex: number) }
        others = try FeatureName.of(
            (neighbors.value ?? []).map(\.neighborIndex) + (cofirings.value ?? []).map(\.otherIndex), key, in: catalog)
        let corpora = try catalog.corpora()
        let indexed = Set(try catalog.indexings(dictionaryID: id).map(\.key.corpusID))
        self.corpora = corpora.filter { indexed.contains($0.corpusID) }
        model = try catalog.languageModels().first { model in
            model.languageModelID
                == (record.languageModelID ?? corpora.first { $0.corpusID == key.corpusID }?.languageModelID)
        }
        report = {
            try FeatureReport(
                number, of: index, contexts: FeatureReport.ContextChoice(bands: ContextBand.allCases, limit: nil),
                in: catalog)
        }
    }

    private static func logits(
        of number: Int, _ index: IndexedDictionary, in catalog: Catalog
    ) throws -> [(logit: FeatureLogit, text: String?)] {
        let logits = try catalog.logits(dictionaryID: index.record.dictionaryID, featureIndex: number)
        let reader = try ContextTokens(catalog: catalog, dictionary: index)
        let texts = try reader.vocabulary(Set(logits.map(\.tokenID)))
        return logits.map { ($0, texts[$0.tokenID]?.text) }
    }

    var title: String { "Feature \(number)" }
    var address: Address {
        links.feature(number).with("contexts", showsAll ? "all" : nil)
    }
    var path: [(name: String, address: Address)] {
        [
            ("Catalog", .catalog), (record.name, links.dictionary),
            ("Features", links.features()),
        ]
    }
    var section: Shell.Section { .features }
    var dictionaryID: Int64? { record.dictionaryID }
    var scale: LayerScale { LayerScale(record.layers) }
    var isDead: Bool { feature.firedCount == 0 }

    var json: JSONValue { get throws { try report().json } }
}
