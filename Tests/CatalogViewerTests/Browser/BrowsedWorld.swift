import FeatureCatalog
import GRDB
import Indexing
import LinearAlgebra
import TestSupport
import Training
import Vocabulary
import WorkflowWorlds

/// Two dictionaries of the shipped model, indexed on a real text, one of them explained and scored: enough for every
/// page to have something to show, and for lists of several pages.
struct BrowsedWorld {
    static let latents = 96
    private static let text = repositoryFile("Demo/text/heldout/bible.jsonl")

    let directory: TemporaryDirectory
    var path: String { directory.file("browsed.sqlite") }

    /// Makes one.
    ///
    /// - Parameter directory: where its catalog lies; nil for a directory of its own.
    init(in directory: TemporaryDirectory? = nil) throws {
        self.directory = try directory ?? TemporaryDirectory()
        try MadeOnce.catalog("browsed", at: path) { try Self.make(at: $0) }
    }

    private static func make(at path: String) throws {
        try train(
            [("first", 4), ("second", 6)].map { name, k in
                TrainingSettings(
                    name: name, model: DemoModel.path, text: [text], layers: [3, 4, 5, 6], latents: latents, k: k,
                    batchTokens: 256, steps: 12, context: 64, seed: 1)
            }, catalog: path)
        let catalog = try Catalog.open(at: path, mode: .readWrite)
        for name in ["first", "second"] {
            _ = try IndexingRun(
                settings: IndexingSettings(
                    dictionary: name, model: DemoModel.path, text: [text],
                    options: IndexingOptions(maximumTokens: 4000, context: 64)),
                workers: Workers(threads: 2)
            ).run(on: catalog)
        }
        try judge(catalog)
        try catalog.close()
    }

    /// Explains and scores the first dictionary's features as nobody would.
    private static func judge(_ catalog: Catalog) throws {
        let run = try catalog.beginRun(kind: .score, config: "{}", seed: nil)
        let explanations = try catalog.write(
            explanations: (0..<latents).map {
                ExplanationRecord(
                    runID: run, dictionaryID: 1, featureIndex: $0, corpusID: 1, method: "n2g",
                    text: $0 % 3 == 0 ? "names of kings, number \($0)" : "fires on words of time, number \($0)",
                    detailJSON: "{}")
            })
        try catalog.write(
            scores: explanations.enumerated().map { feature, explanation in
                ScoreRecord(
                    runID: run, dictionaryID: 1, featureIndex: feature, corpusID: 1, explanationID: explanation,
                    method: .simulation, status: .ok, value: Double(feature * 37 % latents) / Double(latents),
                    baselineValue: Double(feature * 11 % latents) / Double(3 * latents), contextCount: 4, tokenCount: 40
                )
            })
        try catalog.finishRun(run, status: .complete)
    }

    /// The contexts that a page of a feature shows first: the peak token's text, its activation and its layer, read
    /// from the tables themselves.
    func strongestContexts(of feature: Int, limit: Int) throws -> [(token: String, activation: Float, layer: Int)] {
        let queue = try DatabaseQueue(path: path)
        return try queue.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    WITH peak AS (
                        SELECT c.rank, c.activation, c.layer, p.text,
                            length(p.token_starts) / (p.n_tokens + 1) AS width, c.position, p.token_starts
                        FROM feature_context AS c JOIN passage AS p USING (passage_id)
                        WHERE c.dictionary_id = 1 AND c.feature_index = ? AND c.corpus_id = 1 AND c.band = 0),
                    place AS (
                        SELECT *, CAST(substr(token_starts, position * width + 1, width) AS INTEGER) AS start,
                            CAST(substr(token_starts, (position + 1) * width + 1, width) AS INTEGER) AS stop FROM peak)
                    SELECT substr(text, start + 1, stop - start) AS token, activation, layer FROM place
                    ORDER BY rank LIMIT ?
                    """, arguments: [feature, limit]
            ).map { ($0["token"], $0["activation"], $0["layer"]) }
        }
    }
}
