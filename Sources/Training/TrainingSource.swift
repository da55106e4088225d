import ActivationPipeline
import CKernels
import FeatureCatalog
import Foundation
import LanguageModel
import LinearAlgebra
import SparseCoding
import SparseTraining

/// Where a training run's activations come from: a model reading text, files, a pipe, or the caller.
enum TrainingSource {
    case live(ModelFolder, TextCorpus)
    case shards([ActivationShard])
    case piped(PipedActivations)
    case given(GivenActivations)

    /// Opens the source that the settings name.
    ///
    /// - Parameter input: where a stream comes from, if `activations` is `-`; its header is waited for.
    /// - Throws: `WorkflowError.usage` if they name neither or both, or set options that the source does not use.
    init(_ settings: TrainingSettings, input: StreamInput, workers: Workers) throws {
        switch (settings.model, settings.activations.isEmpty) {
        case (nil, true):
            throw WorkflowError.usage("name the source: `model` DIR `text` PATH, or `activations` FILE")
        case (.some, false):
            throw WorkflowError.usage("`model` and `activations` exclude each other: the files hold the activations")
        case (let model?, true):
            self = .live(
                try ModelFolder(
                    path: model, workers: workers, name: settings.modelName, precision: settings.precision),
                try TextCorpus(paths: settings.text))
        case (nil, false):
            guard settings.text.isEmpty, settings.context == nil else {
                throw WorkflowError.usage(
                    "`text` and `context` go with `model`; activation files hold their tokens")
            }
            guard !settings.readsPipe else {
                guard settings.activations.count == 1 else {
                    throw WorkflowError.usage("`activations` - is \(input.name), which no file goes with")
                }
                self = .piped(try PipedActivations(input, batchTokens: settings.batchTokens))
                return
            }
            self = .shards(try ActivationFiles.open(settings.activations, layers: settings.layers))
        }
    }

    /// Width of the residual stream.
    var dModel: Int {
        switch self {
        case .live(let folder, _): folder.model.configuration.dModel
        case .shards(let shards): shards[0].dModel
        case .piped(let piped): piped.header.dModel
        case .given(let given): given.dModel
        }
    }

    /// The default layers: the paper's range, or all that the files hold.
    var defaultLayers: [Int] {
        switch self {
        case .live(let folder, _):
            DictionaryConfiguration.routedLayers(ofModelWith: folder.model.configuration.layerCount)
        case .shards(let shards): shards[0].layers
        case .piped(let piped): piped.header.layers
        case .given(let given): given.layers
        }
    }

    /// Whether a model computes the activations.
    var isLive: Bool { if case .live = self { true } else { false } }

    /// Rows of the activation files; nil for a model.
    var rowCount: Int? {
        if case .shards(let shards) = self { shards.reduce(0) { $0 + $1.tokenIDs.count } } else { nil }
    }

    /// How many layers a batch of the stream holds: those asked for, but all that files hold if they are not read through
    /// a buffer.
    func streamLayerCount(asked: Int, settings: TrainingSettings) -> Int {
        switch self {
        case .live, .piped: asked
        case .shards(let shards): settings.shuffleBuffer == nil ? shards[0].layers.count : asked
        case .given(let given): given.layers.count
        }
    }

    /// The text that a model reads; nil for files of activations.
    var corpus: TextCorpus? {
        if case .live(_, let corpus) = self { corpus } else { nil }
    }

    /// The files it reads.
    var paths: [String] {
        switch self {
        case .live(let folder, let corpus):
            folder.weightFiles + ["config.json", "tokenizer.json"].map { folder.path + "/" + $0 }
                + corpus.files.map(\.path)
        case .shards(let shards): shards.map(\.path)
        case .piped, .given: []
        }
    }

    /// Reads the beginning, so that unusable input is refused before a run begins: text without tokens,
    /// files whose first batch cannot be read or is not finite.
    ///
    /// - Throws: `WorkflowError.badInput`, `TrainingError`, `SafetensorsError`.
    func probe(layers: [Int], settings: TrainingSettings) throws {
        switch self {
        case .live(let folder, let corpus):
            let segmenter = Segmenter(tokenizer: folder.tokenizer, context: try folder.context(settings.context))
            var reader = SegmentReader(corpus: corpus, segmenter: segmenter, shuffleSeed: nil)
            _ = try reader.next()
        case .piped(let piped): try piped.start()
        case .shards, .given:
            let stream = try stream(layers: layers, settings: settings)
            let batch = ActivationBatch(
                capacity: settings.batchTokens, layers: stream.layers, dModel: stream.dModel)
            try stream.fill(batch)
            if let damage = damage(in: batch, layers: layers) { throw damage }
        }
    }

    /// Describes where a batch is not finite, if it is not.
    func damage(in batch: ActivationBatch, layers: [Int]) -> WorkflowError? {
        for row in 0..<batch.count {
            for (place, layer) in batch.layers.enumerated() where layers.contains(layer) {
                let values = batch.values.row(row) + place * batch.dModel
                // What cannot be squared cannot be standardised either.
                guard !rsae_dot(values, values, Int64(batch.dModel)).isFinite else { continue }
                let names =
                    switch self {
                    case .live(let folder, _): folder.path
                    case .shards(let shards): shards.map(\.path).joined(separator: ", ")
                    case .piped(let piped): piped.name
                    case .given(let given): given.name
                    }
                return .badInput(
                    path: names,
                    problem:
                        "an activation holds an infinity or a NaN, or is too large to square (layer \(layer), a token of id "
                        + "\(batch.tokenIDs[row]) in document \(batch.documentIDs[row]))")
            }
        }
        return nil
    }

    /// Checks that the source has the layers.
    ///
    /// - Throws: `WorkflowError.usage` naming the first it lacks.
    func check(layers: [Int]) throws {
        switch self {
        case .live(let folder, _): _ = try folder.checkedLayers(layers)
        case .shards(let shards):
            try Self.check(layers, among: shards[0].layers, of: shards[0].path)
        case .piped(let piped): try Self.check(layers, among: piped.header.layers, of: piped.name)
        case .given(let given): try Self.check(layers, among: given.layers, of: given.name)
        }
    }

    private static func check(_ layers: [Int], among available: [Int], of name: String) throws {
        guard let wrong = layers.first(where: { !available.contains($0) }) else { return }
        let there = available.map(String.init).joined(separator: ", ")
        throw WorkflowError.usage("`layers` names layer \(wrong); \(name) holds layers \(there)")
    }

    /// The model's row in the catalog; nil for files.
    func languageModelID(in catalog: Catalog) throws -> Int64? {
        switch self {
        case .live(let folder, _): try folder.languageModelID(in: catalog)
        case .shards, .piped, .given: nil
        }
    }

    /// Refuses a model whose weights the catalog knows with another tokenizer.
    func checkTokenizer(in catalog: Catalog) throws {
        guard case .live(let folder, _) = self else { return }
        try folder.checkTokenizer(
            against: try catalog.languageModels().filter { try folder.hasWeights($0.sha256) }, in: catalog)
    }

    /// The inputs as versions up to 0.1 recorded them, by the files in the model's folder and by those that are read;
    /// empty for files of activations, whose digests are unchanged.
    func formerInputs() throws -> [[RunInput]] {
        guard case .live(let folder, let corpus) = self else { return [] }
        return try folder.formerInputs().map { $0 + corpus.inputs }
    }

    /// The inputs of the run, by digest.
    var inputs: [RunInput] {
        get throws {
            switch self {
            case .live(let folder, let corpus):
                return try folder.inputs() + corpus.inputs
            case .shards(let shards):
                return try shards.map { shard in
                    let (digest, bytes) = try sha256(ofFile: shard.path)
                    return RunInput(
                        role: "activations", name: URL(filePath: shard.path).lastPathComponent, sha256: digest,
                        bytes: bytes)
                }
            case .piped(let piped): return [try piped.header.input]
            case .given: return []
            }
        }
    }

    /// The stream of batches.
    func stream(layers: [Int], settings: TrainingSettings) throws -> any ActivationStream {
        switch self {
        case .live(let folder, let corpus):
            return ModelActivationStream(
                folder: folder, corpus: corpus, context: try folder.context(settings.context), layers: layers,
                level: settings.bufferLevel, shuffleSeed: settings.shuffleSeed, includesBOS: settings.readsBOS)
        case .shards(let shards) where settings.shuffleBuffer != nil:
            return WindowedActivationStream(
                try ShardRows(shards: shards, layers: layers, includesPrefix: settings.readsBOS),
                level: settings.bufferLevel,
                batchTokens: settings.batchTokens, shuffleSeed: settings.shuffleSeed)
        case .shards(let shards):
            return try ShardActivationStream(
                shards: shards, shuffleSeed: settings.shuffleSeed, includesPrefix: settings.readsBOS)
        case .piped(let piped):
            return WindowedActivationStream(
                PipedRows(piped, layers: layers, includesPrefix: settings.readsBOS), level: settings.bufferLevel,
                batchTokens: settings.batchTokens, shuffleSeed: settings.shuffleSeed)
        case .given(let given): return given.stream()
        }
    }
}
