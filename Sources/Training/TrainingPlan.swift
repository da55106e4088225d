import ActivationPipeline
import FeatureCatalog
import JSON
import LinearAlgebra
import Safetensors
package import SparseCoding
import SparseTraining
import Vocabulary

/// One dictionary of a training job, its settings validated.
package struct TrainingPlan {
    /// The settings.
    package let settings: TrainingSettings
    /// Its architecture, sizes and rules.
    package let configuration: DictionaryConfiguration
    let options: TrainingOptions
    let dtype: DictionaryTensor.DataType
    /// Where its weights are written as safetensors as well, or nil.
    let weightsOutput: String?
    /// Initial weights from a file; nil to draw them.
    private let weights: DictionaryWeights?

    /// Checks one dictionary's settings against the source.
    init(_ settings: TrainingSettings, source: TrainingSource, steps: Int, weightsOutput: String?) throws {
        if settings.name?.isEmpty == true {
            throw WorkflowError.usage("`name` is empty; name the dictionary or leave it out")
        }
        if settings.name?.utf8.contains(0) == true {
            throw WorkflowError.usage("the dictionary's name holds a zero character; name it otherwise")
        }
        if settings.initialWeights != nil, settings.choices.initialThreshold != nil {
            throw WorkflowError.usage("`initialThreshold` goes with drawn weights; `initialWeights` hold thresholds")
        }
        guard let dtype = DictionaryTensor.DataType(rawValue: settings.dtype) else {
            throw WorkflowError.usage("`dtype` is \(settings.dtype); allowed: f32, f16, bf16")
        }

        let layers = settings.layers ?? source.defaultLayers
        if settings.architecture.readsOneLayer, layers.count != 1 {
            throw WorkflowError.usage(
                "\(settings.kind) reads one layer, but \(layers.count) are named; choose one with "
                    + "`layers`")
        }
        try source.check(layers: layers)
        let batchK = try Self.batchK(settings)
        configuration = try Self.configuration(settings, dModel: source.dModel, layers: layers, batchK: batchK)
        var choices = settings.choices
        // A given b_pre is not moved by default.
        if settings.initialWeights != nil { choices.initialBias = choices.initialBias ?? .zero }
        options = try TrainingOptions(
            configuration, batchTokens: settings.batchTokens, steps: steps, batchK: batchK, choices: choices)
        let configuration = self.configuration
        weights = try settings.initialWeights.map {
            try DictionaryWeights(configuration, reading: try SafetensorsFile(path: $0))
        }
        self.settings = settings
        self.dtype = dtype
        self.weightsOutput = weightsOutput
    }

    /// k of BatchTopK; nil for other sparsities.
    ///
    /// - Throws: `WorkflowError.usage` where it contradicts the rest.
    private static func batchK(_ settings: TrainingSettings) throws(WorkflowError) -> Int? {
        guard let sparsity = settings.sparsity, sparsity == .batchtopk else { return nil }
        guard [.topk, .route, .random].contains(settings.architecture) else {
            throw .usage(
                "`sparsity` \(sparsity) goes with topk, route and random, not with \(settings.architecture.rawValue)")
        }
        guard settings.fidelity == .corrected else {
            throw .usage("`sparsity` \(sparsity) goes with `fidelity` corrected; the authors' code has TopK alone")
        }
        guard let k = settings.k else {
            throw .usage("say with `k` how many latents of a token `sparsity` \(sparsity) keeps on the mean")
        }
        return k
    }

    /// What is trained. A BatchTopK of one layer is a JumpReLU with one threshold, as others publish it; a routed one has
    /// that threshold in place of its k.
    private static func configuration(
        _ settings: TrainingSettings, dModel: Int, layers: [Int], batchK: Int?
    ) throws -> DictionaryConfiguration {
        let hasThreshold = batchK != nil
        return try DictionaryConfiguration(
            architecture: hasThreshold && settings.architecture == .topk ? .jumprelu : settings.architecture,
            dModel: dModel, latents: settings.latents, k: hasThreshold ? nil : settings.k, layers: layers,
            routing: settings.routing, aggregation: settings.aggregation, fidelity: settings.fidelity,
            subtractsPreBias: hasThreshold ? true : nil, thresholdForm: hasThreshold ? .shared : nil)
    }

    /// The state before the first step: seeded weights, or those of a file.
    func initialState(_ workers: Workers) -> TrainerState {
        let weights =
            self.weights
            ?? DictionaryWeights(
                configuration, seed: settings.seed, threshold: options.sparsity?.initialThreshold ?? 0)
        return TrainerState(configuration, options: options, weights: weights, workers: workers)
    }

    /// Its name, for messages.
    var name: String { settings.name ?? settings.defaultName }

    /// The dictionary's row in the catalog.
    func record(runID: Int64, languageModelID: Int64?, name: String, tokens: Int) throws -> DictionaryRecord {
        DictionaryRecord(
            configuration, runID: runID, languageModelID: languageModelID, name: name,
            configJSON: try canonicalJSON(DictionarySettings(configuration: configuration, training: options)),
            trainedTokenCount: tokens)
    }
}
