/// A dictionary of features (table `dictionary`); its weights are ``DictionaryTensor`` values.
public struct DictionaryRecord: Equatable, Sendable {
    /// The kinds of dictionary.
    public enum Architecture: String, CaseIterable, Sendable {
        /// A router chooses or mixes layers before a shared TopK autoencoder.
        case route
        /// k largest pre-activations, one layer.
        case topk
        /// ReLU with an L1 penalty, one layer.
        case vanilla
        /// Gate times magnitude, one layer.
        case gated
        /// ReLU with a learnt threshold per latent, one layer.
        case jumprelu
        /// One encoder and decoder per layer around shared latents.
        case crosscoder
        /// Every layer of a token is a sample of one TopK autoencoder.
        case mlsae
        /// One layer drawn uniformly per token, TopK.
        case random
    }

    /// How the layers are put together for the router.
    public enum Aggregation: String, CaseIterable, Sendable {
        /// The sum over layers.
        case sum
        /// The mean over layers.
        case mean
    }

    /// How the router's weights are used.
    public enum Routing: String, CaseIterable, Sendable {
        /// The layer of the largest weight.
        case hard
        /// The weighted sum of all layers.
        case soft
    }

    /// Which computation the dictionary follows.
    public enum Fidelity: String, CaseIterable, Sendable {
        /// The published code, step by step, its defects included.
        case reference
        /// The corrected computation.
        case corrected
    }

    /// The key; 0 for a record that is yet to be written.
    public let dictionaryID: Int64
    /// The run that trained or imported it.
    public let runID: Int64
    /// The model whose residual streams it reads; nil for imported activations of an unknown model.
    public let languageModelID: Int64?
    /// Unique in the catalog; commands name dictionaries by it.
    public let name: String
    /// The kind of dictionary.
    public let architecture: Architecture
    /// Width of the residual stream.
    public let dModel: Int
    /// Number of latents: features are numbered `0 ..< latentCount`.
    public let latentCount: Int
    /// Active latents per token, where the architecture fixes it.
    public let k: Int?
    /// Decoder layers, counted from 0, whose outputs it reads.
    public let layers: [Int]
    /// How layers are put together for the router; nil without one.
    public let aggregation: Aggregation?
    /// How the router's weights are used; nil without a router.
    public let routing: Routing?
    /// Which computation it follows.
    public let fidelity: Fidelity
    /// The threshold on activations that counting uses by default, absolute (15 in the paper).
    public let activationThreshold: Double
    /// The same relative to the width: `activationThreshold / √dModel` (0.331 in the paper).
    public let relativeThreshold: Double
    /// Everything else that decides what it computes, a JSON object.
    public let configJSON: String
    /// Tokens seen in training; nil where unknown.
    public let trainedTokenCount: Int?

    /// Describes a dictionary.
    public init(
        dictionaryID: Int64 = 0, runID: Int64, languageModelID: Int64?, name: String, architecture: Architecture,
        dModel: Int, latentCount: Int, k: Int?, layers: [Int], aggregation: Aggregation? = nil,
        routing: Routing? = nil, fidelity: Fidelity, activationThreshold: Double, relativeThreshold: Double,
        configJSON: String, trainedTokenCount: Int? = nil
    ) {
        self.dictionaryID = dictionaryID
        self.runID = runID
        self.languageModelID = languageModelID
        self.name = name
        self.architecture = architecture
        self.dModel = dModel
        self.latentCount = latentCount
        self.k = k
        self.layers = layers
        self.aggregation = aggregation
        self.routing = routing
        self.fidelity = fidelity
        self.activationThreshold = activationThreshold
        self.relativeThreshold = relativeThreshold
        self.configJSON = configJSON
        self.trainedTokenCount = trainedTokenCount
    }
}
