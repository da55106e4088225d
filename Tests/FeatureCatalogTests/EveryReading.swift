import FeatureCatalog
import Foundation
import Testing
import Vocabulary

/// All reading functions of a catalog, for tests of their effect on the process rather than their
/// results.
struct EveryReading {
    /// Functions that threw, with what.
    private(set) var errors: [(name: String, error: CatalogError)] = []
    /// What verification found; nil if it threw.
    private(set) var problems: [VerificationProblem]?
    /// A digest of the catalog's content; nil if it could not be computed.
    private(set) var digest: String?

    /// Error codes that reading a catalog may give.
    static let expected: Set<CatalogError.Code> = [
        .damaged, .notFound, .notACatalog, .tooNew, .tooOld, .refused, .invalidSQL, .invalidValue, .timedOut,
        .cannotWrite,
    ]

    /// Calls every reading function of `catalog`.
    init(_ catalog: Catalog) {
        attempt("identity") { try catalog.identity() }
        attempt("runs") { try catalog.runs() }
        for run: Int64 in 1...2 {
            attempt("run") { try catalog.run(run) }
            attempt("runInputs") { try catalog.runInputs(run) }
            attempt("runMetrics") { try catalog.runMetrics(run) }
            attempt("layerRouting") { try catalog.layerRouting(dictionaryID: 1, runID: run) }
        }
        attempt("languageModels") { try catalog.languageModels() }
        attempt("tokens") { try catalog.tokens(languageModelID: 1) }
        attempt("tokens") { try catalog.tokens(languageModelID: 1, tokenIDs: [0, 5, .max, .min]) }
        attempt("corpora") { try catalog.corpora() }
        attempt("documentIDs") { try catalog.documentIDs(corpusID: 1) }
        attempt("document") { try catalog.document(1) }
        attempt("dictionaries") { try catalog.dictionaries() }
        attempt("dictionary") { try catalog.dictionary(1) }
        attempt("dictionary") { try catalog.dictionary(named: "main") }
        attempt("tensors") { try catalog.tensors(dictionaryID: 1) }
        attempt("readTensorRows") { try catalog.readTensorRows(dictionaryID: 1, name: "decoder") }
        attempt("readTensorRows") { try catalog.readTensorRows(dictionaryID: 1, name: "decoder", rows: 1..<2) }
        attempt("readTensorRows") {
            try catalog.readTensorRows(dictionaryID: 1, name: "decoder", rows: Int.max - 1..<Int.max)
        }
        readIndex(catalog, IndexingKey(dictionaryID: 1, corpusID: 1))
        attempt("hasLogits") { try catalog.hasLogits(dictionaryID: 1) }
        attempt("hasNeighbors") { try catalog.hasNeighbors(dictionaryID: 1) }
        attempt("explanations") { try catalog.explanations(dictionaryID: 1) }
        attempt("scores") { try catalog.scores(dictionaryID: 1) }
        attempt("evaluations") { try catalog.evaluations(dictionaryID: 1) }
        attempt("interventions") { try catalog.interventions(dictionaryID: 1) }
        attempt("searchContexts") { try catalog.searchContexts("king OR a OR the") }
        attempt("searchExplanations") { try catalog.searchExplanations("kings OR a") }
        attempt("searchPromotedTokens") { try catalog.searchPromotedTokens(["king", "a"]) }
        attempt("dictionarySummaries") { try catalog.dictionarySummaries() }
        attempt("runCurves") { try catalog.runCurves(1, stretches: 4) }
        attempt("judgeFailures") { try catalog.judgeFailures(dictionaryID: 1) }
        for view in ["context", "layer_profile", "dictionary_summary", "feature_summary"] {
            if view != "context" { attempt("rows of \(view)") { try catalog.rows(sql: "SELECT * FROM \(view)") } }
            attempt("runReadOnly of \(view)") { try catalog.runReadOnly(sql: "SELECT * FROM \(view)", timeLimit: 2) }
        }
        digest = attempt("contentDigest") { try catalog.contentDigest() }
        problems = attempt("verify") { try catalog.verify() }
    }

    private mutating func readIndex(_ catalog: Catalog, _ key: IndexingKey) {
        attempt("indexing") { try catalog.indexing(key) }
        attempt("indexings") { try catalog.indexings(dictionaryID: 1) }
        attempt("features") { try catalog.features(key) }
        attempt("countInterpretable") { try catalog.countInterpretable(key) }
        attempt("countInterpretable") { try catalog.countInterpretable(key, threshold: 0) }
        for feature in [0, 1, Int.max, Int.min] {
            attempt("feature") { try catalog.feature(key, featureIndex: feature) }
            attempt("featureLayers") { try catalog.featureLayers(key, featureIndex: feature) }
            attempt("featureTokens") { try catalog.featureTokens(key, featureIndex: feature) }
            attempt("cofirings") { try catalog.cofirings(key, featureIndex: feature) }
            attempt("contexts") { try catalog.contexts(key, featureIndex: feature) }
            attempt("contexts") { try catalog.contexts(key, featureIndex: feature, band: .top, split: .explain) }
            attempt("linear histogram") {
                try catalog.linearHistogram(IndexingKey(dictionaryID: 1, corpusID: 1), featureIndex: feature)
            }
            attempt("logit histogram") { try catalog.logitHistogram(dictionaryID: 1, featureIndex: feature) }
            attempt("logits") { try catalog.logits(dictionaryID: 1, featureIndex: feature) }
            attempt("neighbors") { try catalog.neighbors(dictionaryID: 1, featureIndex: feature) }
            attempt("reviews") { try catalog.reviews(dictionaryID: 1, featureIndex: feature) }
        }
        attempt("listing") {
            let columns = try SummaryColumns(of: catalog)
            var listing = FeatureListing(key: key)
            listing.columns = columns.all
            _ = try listing.rows(in: catalog)
            listing.conditions = columns["peak_layer"].map { [FeatureCondition($0, .equal, 0)] } ?? []
            listing.order = columns["firing_rate"]
            listing.limit = 4
            _ = try listing.rows(in: catalog)
        }
        attempt("layerProfile") { try catalog.layerProfile(key) }
        attempt("briefScores") { try catalog.briefScores(key, method: .simulation, withPeakLayers: true) }
        attempt("reviewPairs") { try catalog.reviewPairs(key) }
        attempt("contentDigests") { try catalog.contentDigests(of: key).count }
    }

    /// Whether anything but `.notFound` was thrown, or verification found something.
    var noticed: Bool { errors.contains { $0.error.code != .notFound } || problems?.isEmpty == false }

    /// Codes that a function threw.
    func codes(of name: String) -> Set<CatalogError.Code> {
        Set(errors.filter { $0.name == name }.map(\.error.code))
    }

    @discardableResult
    private mutating func attempt<Value>(_ name: String, _ body: () throws -> Value) -> Value? {
        do { return try body() } catch let error as CatalogError {
            errors.append((name, error))
            #expect(Self.expected.contains(error.code), "\(name): \(error.code) \(error.message)")
            #expect(!error.message.contains("\n") && error.message.utf8.count < 5000, "\(name)")
        } catch {
            Issue.record("\(name): \(error) is no CatalogError")
        }
        return nil
    }
}
