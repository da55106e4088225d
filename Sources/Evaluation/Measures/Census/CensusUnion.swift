import ActivationPipeline
import FeatureCatalog
import Foundation
import Vocabulary

/// The single-layer dictionaries whose features a dictionary's census counts.
///
/// They are TopK dictionaries of one layer each with the same model, latents, k and training tokens, and of other seeds:
/// those of the same seed start from the same weights, and after a short training latent i of one still resembles
/// latent i of another, whatever either has learned. A layer that has only such ones is counted by them, and the figures
/// are named `…_same_seed`.
struct CensusUnion {
    /// What the names of figures end in where seeds are shared.
    static let sameSeedSuffix = "…_same_seed"

    /// A single-layer dictionary.
    struct Member {
        let record: DictionaryRecord
        /// The features that are counted; nil for all.
        var explained: Set<Int>?
        var layer: Int { record.layers[0] }
    }

    /// The dictionaries, by layer and number.
    let members: [Member]
    /// The layers that are counted, ascending.
    var layers: [Int] { Set(members.map(\.layer)).sorted() }
    /// Whether some layer has only dictionaries of the same seed.
    let sharesSeed: Bool
    /// The score that explanations of the features counted reach; nil where all features are counted.
    let minScore: Double?
    /// Put behind the names of the figures.
    var suffix: String { (minScore == nil ? "" : "_explained") + (sharesSeed ? "_same_seed" : "") }

    /// Finds the dictionaries.
    ///
    /// - Parameters:
    ///   - record: the dictionary whose census is taken.
    ///   - layers: the layers to count.
    ///   - names: the dictionaries, where they are named; nil for all that fit.
    ///   - minScore: the simulation score that features have to reach; nil counts all.
    /// - Throws: `WorkflowError.badInput` naming the layers without such a dictionary, and how to train them, or the
    ///   dictionaries without scores; `.refused` where a named one is of several layers.
    init(
        for record: DictionaryRecord, layers: [Int], named names: [String]?, minScore: Double? = nil,
        in catalog: Catalog
    ) throws {
        let own = try TrainedAs(record, in: catalog)
        let candidates =
            try names.map { try $0.map { try Self.named($0, in: catalog) } }
            ?? catalog.dictionaries().filter {
                $0.architecture == .topk && $0.layers.count == 1 && $0.languageModelID == record.languageModelID
                    && $0.latentCount == record.latentCount && $0.trainedTokenCount == record.trainedTokenCount
                    && (own.k == nil || $0.k == own.k)
            }
        var members: [Member] = []
        var missing: [Int] = []
        var sharesSeed = false
        for layer in layers {
            let all = candidates.filter { $0.layers == [layer] && $0.dictionaryID != record.dictionaryID }
            let others = try all.filter { try TrainedAs($0, in: catalog).seed != own.seed || own.seed == nil }
            if others.isEmpty, record.layers == [layer] { continue }
            if all.isEmpty { missing.append(layer) }
            if others.isEmpty, !all.isEmpty { sharesSeed = true }
            members += (others.isEmpty ? all : others).map { Member(record: $0) }
        }
        guard missing.isEmpty else {
            throw WorkflowError.badInput(path: catalog.path, problem: Self.advice(missing, for: record, own, catalog))
        }
        guard members.contains(where: { record.layers != [$0.layer] }) else {
            throw WorkflowError.refused(
                "\(catalog.path): a census of \"\(record.name)\" needs features of more layers than its own; name them "
                    + "with `layers`")
        }
        self.members = try minScore.map { try Self.explained(members, minScore: $0, in: catalog) } ?? members
        self.sharesSeed = sharesSeed
        self.minScore = minScore
    }

    /// The same with the features whose explanations reach a score.
    private static func explained(
        _ members: [Member], minScore: Double, in catalog: Catalog
    ) throws -> [Member] {
        let explained = try members.map { member in
            var member = member
            member.explained = try catalog.wellExplainedFeatures(
                dictionaryID: member.record.dictionaryID, minScore: minScore)
            return member
        }
        let unscored = explained.filter { $0.explained == nil }.map(\.record)
        guard unscored.isEmpty else {
            let numbers = unscored.map { "\($0.dictionaryID)" }.joined(separator: " ")
            throw WorkflowError.badInput(
                path: catalog.path,
                problem: "no feature of \(unscored.map { "\"\($0.name)\"" }.joined(separator: ", ")) has a simulation "
                    + "score; make some: for d in \(numbers); do routesae index \(catalog.path) `dictionary` $d `model` DIR "
                    + "`text` FILES && routesae score \(catalog.path) `dictionary` $d `model` DIR; done")
        }
        return explained
    }

    private static func named(_ name: String, in catalog: Catalog) throws -> DictionaryRecord {
        let record = try StoredDictionary.record(named: name, in: catalog)
        guard record.layers.count == 1, record.architecture.readsOneLayer else {
            throw WorkflowError.refused(
                "\(catalog.path): dictionary \"\(name)\" reads layers \(LayerSpan.text(of: record.layers)); a census "
                    + "counts features of dictionaries of one layer")
        }
        return record
    }

    /// What is missing, and the command that makes it.
    private static func advice(
        _ layers: [Int], for record: DictionaryRecord, _ own: TrainedAs, _ catalog: Catalog
    ) -> String {
        let list = layers.map { "\($0)" }.joined(separator: " ")
        let k = own.k.map { " `k` \($0)" } ?? " `k` K"
        let tokens = record.trainedTokenCount.map { " `tokens` \($0)" } ?? ""
        let model = " `model` " + (own.model ?? "DIR")
        let text = " `text` " + (own.text.isEmpty ? "FILES" : own.text.joined(separator: " "))
        let others =
            (own.batchTokens.map { " `batchTokens` \($0)" } ?? "") + (own.context.map { " `context` \($0)" } ?? "")
        return "a census of \"\(record.name)\" needs a topk dictionary of each of the layers "
            + "\(layers.map { "\($0)" }.joined(separator: ", ")) with \(record.latentCount) latents"
            + (own.k.map { ", k \($0)" } ?? "") + (record.trainedTokenCount.map { ", \($0) training tokens" } ?? "")
            + " and another seed; make them: for layer in \(list); do routesae train \(catalog.path) `append`\(model)\(text)"
            + " `architecture` topk `layers` $layer `latents` \(record.latentCount)\(k)\(tokens)\(others)"
            + " `seed` \((own.seed ?? 0) &+ 1); done"
    }
}

/// What a dictionary's training run says of it.
struct TrainedAs: Decodable {
    /// The seed of its weights; nil for one that was not trained here.
    private(set) var seed: UInt64?
    /// Active latents of a token, on the mean if one threshold decides.
    private(set) var k: Int?
    /// The model's folder.
    private(set) var model: String?
    /// The text.
    private(set) var text: [String] = []
    /// Tokens of a batch.
    private(set) var batchTokens: Int?
    /// The most tokens the model saw at once.
    private(set) var context: Int?

    /// Reads the configuration of the run that made a dictionary.
    init(_ record: DictionaryRecord, in catalog: Catalog) throws {
        let run = try catalog.run(record.runID)
        let config = Data(run.configJSON.utf8)
        if run.kind == .train, let found = try? JSONDecoder().decode(TrainedAs.self, from: config) { self = found }
        if run.kind != .train { seed = nil }
        k = record.k ?? k
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        seed = try values.decodeIfPresent(UInt64.self, forKey: .seed) ?? 0
        k = try values.decodeIfPresent(Int.self, forKey: .k)
        model = try values.decodeIfPresent(String.self, forKey: .model)
        text = try values.decodeIfPresent([String].self, forKey: .text) ?? []
        batchTokens = try values.decodeIfPresent(Int.self, forKey: .batchTokens)
        context = try values.decodeIfPresent(Int.self, forKey: .context)
    }

    private enum Key: String, CodingKey { case seed, k, model, text, batchTokens, context }
}
