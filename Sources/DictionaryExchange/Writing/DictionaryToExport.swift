package import LinearAlgebra
package import Safetensors
package import SparseCoding

/// A dictionary to be written in another program's format: its configuration, its tensors, and what is known of it.
package struct DictionaryToExport: Sendable {
    /// Its architecture, sizes and rules.
    package let configuration: DictionaryConfiguration
    /// Its name in the catalog.
    package let name: String
    /// Its tensors by the names of `DictionaryWeights`, in that arrangement and as stored: no norm or scale is folded
    /// in. The types are F32, F16 or BF16; a vector is `[n]` or `[1, n]`.
    package let tensors: [(name: String, dtype: TensorDType, shape: [Int])]
    /// Reads one of `tensors`, widened to 32 bits. It is called for one big tensor at a time, for some twice.
    package let read: @Sendable (_ name: String) throws -> Matrix
    /// The language model, as its hub names it.
    package let modelName: String?
    /// Tokens in each of the passages it was trained on.
    package let contextTokens: Int?
    /// Whether each passage began with a BOS token.
    package let prependsBOS: Bool?
    /// Where it came from, in free text.
    package let source: String?
    /// The share of tokens on which each latent fires, 0 … 1, by latent; nil before it is indexed.
    package let firingRates: [Double]?
    /// The version of RouteSAE that writes it.
    package let softwareVersion: String

    /// Describes a dictionary; the writers check it.
    package init(
        configuration: DictionaryConfiguration, name: String,
        tensors: [(name: String, dtype: TensorDType, shape: [Int])],
        read: @escaping @Sendable (_ name: String) throws -> Matrix,
        modelName: String? = nil, contextTokens: Int? = nil, prependsBOS: Bool? = nil, source: String? = nil,
        firingRates: [Double]? = nil, softwareVersion: String
    ) {
        self.configuration = configuration
        self.name = name
        self.tensors = tensors
        self.read = read
        self.modelName = modelName
        self.contextTokens = contextTokens
        self.prependsBOS = prependsBOS
        self.source = source
        self.firingRates = firingRates
        self.softwareVersion = softwareVersion
    }
}
