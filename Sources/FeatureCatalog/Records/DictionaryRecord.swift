package import Vocabulary

/// A dictionary of features (table `dictionary`); its weights are ``DictionaryTensor`` values.
package struct DictionaryRecord: Equatable, Sendable {
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
    /// How the router aggregates layers; nil without one.
    package let aggregation: RouterAggregation?
    /// How the router's weights are used; nil without a router.
    package let routing: RoutingMode?
    /// The fidelity: corrected or the reference's.
    package let fidelity: Fidelity
    /// The threshold on activations that counting uses by default, absolute (15 in the paper).
    package let activationThreshold: Double
    /// The same relative to the width: `activationThreshold / √dModel` (0.331 in the paper).
    package let relativeThreshold: Double
    /// All other settings of its computation, a JSON object.
    package let configJSON: String
    /// Tokens seen in training; nil where unknown.
    package let trainedTokenCount: Int?

    /// Describes a dictionary.
    package init(
        dictionaryID: Int64 = 0, runID: Int64, languageModelID: Int64?, name: String, architecture: Architecture,
        dModel: Int, latentCount: Int, k: Int?, layers: [Int], aggregation: RouterAggregation? = nil,
        routing: RoutingMode? = nil, fidelity: Fidelity, activationThreshold: Double, relativeThreshold: Double,
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
