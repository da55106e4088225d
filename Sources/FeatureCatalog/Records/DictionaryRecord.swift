/// A dictionary of features (table `dictionary`); its weights are ``DictionaryTensor`` values.
package struct DictionaryRecord: Equatable, Sendable {
    /// The kinds of dictionary.
    package enum Architecture: String, CaseIterable, Sendable {
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
    package enum Aggregation: String, CaseIterable, Sendable {
        /// The sum over layers.
        case sum
        /// The mean over layers.
        case mean
    }

    /// How the router's weights are used.
    package enum Routing: String, CaseIterable, Sendable {
        /// The layer of the largest weight.
        case hard
        /// The weighted sum of all layers.
        case soft
    }

    /// Which computation the dictionary follows.
    package enum Fidelity: String, CaseIterable, Sendable {
        /// The published code, step by step, its defects included.
        case reference
        /// The corrected computation.
        case corrected
    }

    /// The key; 0 for a record that is yet to be written.
    package let dictionaryID: Int64
    /// The run that trained or imported it.
    package let runID: Int64
    /// The model whose residual streams it reads; nil for imported activations of an unknown model.
    package let languageModelID: Int64?
    /// Unique in the catalog; commands name dictionaries by it.
    package let name: String
    /// The kind of dictionary.
    package let architecture: Architecture
    /// Width of the residual stream.
    package let dModel: Int
    /// Number of latents: features are numbered `0 ..< latentCount`.
    package let latentCount: Int
    /// Active latents per token, where the architecture fixes it.
    package let k: Int?
    /// Decoder layers, counted from 0, whose outputs it reads.
    package let layers: [Int]
    /// How layers are put together for the router; nil without one.
    package let aggregation: Aggregation?
    /// How the router's weights are used; nil without a router.
    package let routing: Routing?
    /// Which computation it follows.
    package let fidelity: Fidelity
    /// The threshold on activations that counting uses by default, absolute (15 in the paper).
    package let activationThreshold: Double
    /// The same relative to the width: `activationThreshold / √dModel` (0.331 in the paper).
    package let relativeThreshold: Double
    /// Everything else that decides what it computes, a JSON object.
    package let configJSON: String
    /// Tokens seen in training; nil where unknown.
    package let trainedTokenCount: Int?

    /// Describes a dictionary.
    package init(
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
