package import SparseCoding
package import SparseTraining

/// Everything that decides how one dictionary is trained, as one JSON document: what
/// `routesae runs CATALOG ID --format json` prints under `config` and `routesae train --config FILE` takes.
package struct TrainingSettings: Sendable, Codable, Equatable {
    /// Name of the dictionary in the catalog; nil makes one from the architecture and its sizes.
    package var name: String?
    /// Which system it is.
    package var architecture: Architecture
    /// Model folder, for training live from text.
    package var model: String?
    /// What the catalog calls the model; nil takes what the folder says.
    package var modelName: String?
    /// Text files and folders, likewise.
    package var text: [String]
    /// Activation files, for training without a model.
    package var activations: [String]
    /// Decoder layers; nil takes the paper's range for the model, or all layers of the activation files.
    package var layers: [Int]?
    /// m.
    package var latents: Int
    /// k; nil for an architecture that a penalty keeps sparse.
    package var k: Int?
    /// Hard or soft.
    package var routing: RoutingMode
    /// Sum or mean.
    package var aggregation: RouterAggregation
    /// Reference or corrected.
    package var fidelity: Fidelity
    /// Tokens of a batch.
    package var batchTokens: Int
    /// Steps; nil takes them from `tokens`.
    package var steps: Int?
    /// Training tokens, where `steps` is nil.
    package var tokens: Int?
    /// Peak rate; nil takes the fidelity's default.
    package var learningRate: Float?
    /// Part of the steps over which the rate warms up.
    package var warmupFraction: Double?
    /// Part of the steps over which the rate decays.
    package var decayFraction: Double?
    /// The norm that the whole gradient does not exceed.
    package var gradientClip: Float?
    /// Steps between returns to unit norm.
    package var normalizeEvery: Int?
    /// Whether a decoder direction's gradient loses its part parallel to the direction.
    package var removesParallelGradient: Bool?
    /// Where b_pre starts.
    package var initialBias: InitialBias?
    /// Weight of the load-balance term.
    package var loadBalance: Float?
    /// How a corrected hard router learns.
    package var routerGradient: RouterGradient?
    /// Weight of the AuxK term; 0 is none.
    package var auxiliaryCoefficient: Float?
    /// k_aux.
    package var auxiliaryK: Int?
    /// Tokens without firing after which a latent is dead.
    package var deadAfterTokens: Int?
    /// λ of the sparsity penalty.
    package var lambda: Float?
    /// Part of the steps over which λ rises from 0.
    package var lambdaWarmup: Double?
    /// ε of a JumpReLU.
    package var bandwidth: Float?
    /// θ of a JumpReLU at the start.
    package var initialThreshold: Float?
    /// The most tokens the model sees at once.
    package var context: Int?
    /// Whether documents and tokens are shuffled.
    package var shuffle: Bool
    /// Tokens that a live stream keeps waiting to draw batches from; nil takes two batches, 32768 at least.
    package var shuffleBuffer: Int?
    /// Whether BOS is learned from; nil leaves it out when corrected and takes it in for the reference, as its code does.
    package var includesBOS: Bool?
    /// Seed of the weights.
    package var seed: UInt64
    /// Seed of the stream's order; nil takes `seed`. All dictionaries of a sweep share it.
    package var streamSeed: UInt64?
    /// Starting weights, a safetensors file with the reference's names.
    package var initialWeights: String?
    /// How the catalog stores the weights: f32, f16 or bf16.
    package var dtype: String

    /// The keys of the JSON form: the properties, no others.
    enum CodingKeys: String, CodingKey, CaseIterable {
        case name, architecture, model, modelName, text, activations, layers, latents, k, routing, aggregation, fidelity
        case batchTokens, steps, tokens, learningRate, warmupFraction, decayFraction, gradientClip, normalizeEvery
        case removesParallelGradient, initialBias, loadBalance, routerGradient, auxiliaryCoefficient, auxiliaryK
        case deadAfterTokens, lambda, lambdaWarmup, bandwidth, initialThreshold, context, shuffle, shuffleBuffer,
            includesBOS
        case seed, streamSeed, initialWeights, dtype
    }

    /// Keys that decide the stream of activations, not the dictionary: the same for all dictionaries of a sweep.
    static let streamKeys: Set<CodingKeys> = [
        .model, .modelName, .text, .activations, .batchTokens, .steps, .tokens, .context, .shuffle, .shuffleBuffer,
        .includesBOS,
        .streamSeed,
    ]

    /// Makes settings; what is not named takes the default shown.
    package init(
        name: String? = nil, architecture: Architecture = .route, model: String? = nil,
        modelName: String? = nil, text: [String] = [], activations: [String] = [], layers: [Int]? = nil, latents: Int,
        k: Int? = nil, routing: RoutingMode = .hard,
        aggregation: RouterAggregation = .sum, fidelity: Fidelity = .corrected, batchTokens: Int = 4096,
        steps: Int? = nil, tokens: Int? = nil, choices: TrainingOptions.Choices = .init(), context: Int? = nil,
        shuffle: Bool = true, shuffleBuffer: Int? = nil, includesBOS: Bool? = nil, seed: UInt64 = 0,
        streamSeed: UInt64? = nil, initialWeights: String? = nil, dtype: String = "f32"
    ) {
        self.name = name
        self.architecture = architecture
        self.model = model
        self.modelName = modelName
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
        learningRate = choices.learningRate
        warmupFraction = choices.warmupFraction
        decayFraction = choices.decayFraction
        gradientClip = choices.gradientClip
        normalizeEvery = choices.normalizeEvery
        removesParallelGradient = choices.removesParallelGradient
        initialBias = choices.initialBias
        loadBalance = choices.loadBalance
        routerGradient = choices.routerGradient
        auxiliaryCoefficient = choices.auxiliaryCoefficient
        auxiliaryK = choices.auxiliaryK
        deadAfterTokens = choices.deadAfterTokens
        lambda = choices.sparsityCoefficient
        lambdaWarmup = choices.sparsityWarmup
        bandwidth = choices.bandwidth
        initialThreshold = choices.initialThreshold
        self.context = context
        self.shuffle = shuffle
        self.shuffleBuffer = shuffleBuffer
        self.includesBOS = includesBOS
        self.seed = seed
        self.streamSeed = streamSeed
        self.initialWeights = initialWeights
        self.dtype = dtype
    }
}
