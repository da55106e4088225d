public import SparseCoding
import SparseTraining

/// Everything that decides a training run, as one JSON document: what `routesae runs CATALOG ID --format json` prints
/// under `config` and `routesae train --config FILE` takes.
public struct TrainingSettings: Sendable, Codable, Equatable {
    /// Name of the dictionary in the catalog; nil makes one from the architecture and its sizes.
    public var name: String?
    /// `route`, or `topk` for a single layer.
    public var architecture: String
    /// Model folder, for training live from text.
    public var model: String?
    /// Text files and folders, likewise.
    public var text: [String]
    /// Activation files, for training without a model.
    public var activations: [String]
    /// Decoder layers; nil takes the paper's range for the model, or all layers of the activation files.
    public var layers: [Int]?
    /// m.
    public var latents: Int
    /// k.
    public var k: Int
    /// Hard or soft.
    public var routing: RoutingMode
    /// Sum or mean.
    public var aggregation: RouterAggregation
    /// Reference or corrected.
    public var fidelity: Fidelity
    /// Tokens of a batch.
    public var batchTokens: Int
    /// Steps; nil takes them from `tokens`.
    public var steps: Int?
    /// Training tokens, where `steps` is nil.
    public var tokens: Int?
    /// Peak rate; nil takes the fidelity's default.
    public var learningRate: Float?
    /// Steps between returns to unit norm.
    public var normalizeEvery: Int?
    /// Weight of the load-balance term.
    public var loadBalance: Float?
    /// Weight of the AuxK term; 0 is none.
    public var auxiliaryCoefficient: Float?
    /// k_aux.
    public var auxiliaryK: Int?
    /// Tokens without firing after which a latent is dead.
    public var deadAfterTokens: Int?
    /// The most tokens the model sees at once.
    public var context: Int?
    /// Whether documents and tokens are shuffled.
    public var shuffle: Bool
    /// Seed of weights and shuffling.
    public var seed: UInt64
    /// Starting weights, a safetensors file with the reference's names.
    public var initialWeights: String?
    /// How the catalog stores the weights: f32, f16 or bf16.
    public var dtype: String

    /// The keys of the JSON form: the properties, no others.
    enum CodingKeys: String, CodingKey, CaseIterable {
        case name, architecture, model, text, activations, layers, latents, k, routing, aggregation, fidelity
        case batchTokens, steps, tokens, learningRate, normalizeEvery, loadBalance
        case auxiliaryCoefficient, auxiliaryK, deadAfterTokens, context, shuffle, seed, initialWeights, dtype
    }

    /// Makes settings; what is not named takes the default shown.
    public init(
        name: String? = nil, architecture: String = "route", model: String? = nil, text: [String] = [],
        activations: [String] = [], layers: [Int]? = nil, latents: Int, k: Int, routing: RoutingMode = .hard,
        aggregation: RouterAggregation = .sum, fidelity: Fidelity = .corrected, batchTokens: Int = 4096,
        steps: Int? = nil, tokens: Int? = nil, learningRate: Float? = nil, normalizeEvery: Int? = nil,
        loadBalance: Float? = nil, auxiliaryCoefficient: Float? = nil, auxiliaryK: Int? = nil,
        deadAfterTokens: Int? = nil, context: Int? = nil, shuffle: Bool = true, seed: UInt64 = 0,
        initialWeights: String? = nil, dtype: String = "f32"
    ) {
        self.name = name
        self.architecture = architecture
        self.model = model
        self.text = text
        self.activations = activations
        self.layers = layers
        self.latents = latents
        self.k = k
        self.routing = routing
        self.aggregation = aggregation
        self.fidelity = fidelity
        self.batchTokens = batchTokens
        self.steps = steps
        self.tokens = tokens
        self.learningRate = learningRate
        self.normalizeEvery = normalizeEvery
        self.loadBalance = loadBalance
        self.auxiliaryCoefficient = auxiliaryCoefficient
        self.auxiliaryK = auxiliaryK
        self.deadAfterTokens = deadAfterTokens
        self.context = context
        self.shuffle = shuffle
        self.seed = seed
        self.initialWeights = initialWeights
        self.dtype = dtype
    }

    /// The number of steps.
    ///
    /// - Throws: `WorkflowError.usage` where neither `steps` nor `tokens` says it, where both do, or where a number is
    ///   out of range.
    func stepCount() throws(WorkflowError) -> Int {
        guard (1...1 << 24).contains(batchTokens) else {
            throw .usage("--batch-tokens is \(batchTokens); allowed: 1 … 16777216")
        }
        if let steps {
            guard tokens == nil else { throw .usage("--steps and --tokens exclude each other: both say how long") }
            guard (1...1 << 31).contains(steps) else { throw .usage("--steps is \(steps); allowed: from 1") }
            return steps
        }
        guard let tokens else { throw .usage("say how long to train, with --tokens N or --steps S") }
        guard tokens > 0 else { throw .usage("--tokens is \(tokens); allowed: from 1") }
        return max(tokens / batchTokens, 1)
    }

    /// What the trainer is asked for.
    var choices: TrainingOptions.Choices {
        var choices = TrainingOptions.Choices()
        choices.learningRate = learningRate
        choices.normalizeEvery = normalizeEvery
        choices.loadBalance = loadBalance
        choices.auxiliaryCoefficient = auxiliaryCoefficient
        choices.auxiliaryK = auxiliaryK
        choices.deadAfterTokens = deadAfterTokens
        return choices
    }
}
