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
    /// What it does to its input, and which latents it keeps.
    package let rules: EncodingRules
    /// The threshold on activations that counting uses by default, absolute (15 in the paper).
    package let activationThreshold: Double
    /// The same relative to the width: `activationThreshold / √dModel` (0.331 in the paper).
    package let relativeThreshold: Double
    /// All other settings of its computation, a JSON object.
    package let configJSON: String
    /// Tokens seen in training; nil where unknown.
    package let trainedTokenCount: Int?

    /// Describes a dictionary.
    ///
    /// - Parameter rules: nil for those of dictionaries trained here.
    package init(
        dictionaryID: Int64 = 0, runID: Int64, languageModelID: Int64?, name: String, architecture: Architecture,
        dModel: Int, latentCount: Int, k: Int?, layers: [Int], aggregation: RouterAggregation? = nil,
        routing: RoutingMode? = nil, fidelity: Fidelity, rules: EncodingRules? = nil, activationThreshold: Double,
        relativeThreshold: Double,
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
        self.rules = rules ?? EncodingRules(architecture, fidelity, k: k)
        self.activationThreshold = activationThreshold
        self.relativeThreshold = relativeThreshold
        self.configJSON = configJSON
        self.trainedTokenCount = trainedTokenCount
    }
}

extension DictionaryRecord {
    /// Whether it computes the same as another if their weights are equal.
    func computesAs(_ other: DictionaryRecord) -> Bool {
        architecture == other.architecture && k == other.k && layers == other.layers && routing == other.routing
            && aggregation == other.aggregation && fidelity == other.fidelity && rules == other.rules
    }
}

/// A stored weight of a dictionary, without its values (table `dictionary_tensor`).
package struct TensorRecord: Equatable, Sendable {
    /// The tensor's name, unique in its dictionary.
    package let name: String
    /// How the values are stored.
    package let dataType: DictionaryTensor.DataType
    /// The shape, rows first.
    package let shape: [Int]
    /// Lower-case hexadecimal SHA-256 of all stored bytes, little-endian, row-major.
    package let sha256: String

    /// Describes a stored tensor.
    package init(name: String, dataType: DictionaryTensor.DataType, shape: [Int], sha256: String) {
        self.name = name
        self.dataType = dataType
        self.shape = shape
        self.sha256 = sha256
    }
}

/// A weight of a dictionary to be written into the catalog (tables `dictionary_tensor`, `tensor_chunk`).
///
/// Rows are the first dimension. Tensors that belong to features have the latents as rows (the decoder is
/// `[latents × dModel]`), so that one feature's vectors are read alone.
package struct DictionaryTensor: Sendable {
    /// How the values are stored.
    package enum DataType: String, CaseIterable, Sendable {
        /// IEEE 754 binary32.
        case f32
        /// IEEE 754 binary16.
        case f16
        /// The upper half of binary32.
        case bf16

        /// Bytes of one stored value.
        package var byteCount: Int { self == .f32 ? 4 : 2 }
    }

    /// The tensor's name, unique in its dictionary.
    package let name: String
    /// How the values are stored; f16 and bf16 round to nearest, ties to even.
    package let dataType: DataType
    /// The shape, rows first; an empty shape is a single value.
    package let shape: [Int]
    /// Returns the rows of a range, row-major `[rows × values per row]`; called in order.
    package let rows: @Sendable (Range<Int>) throws -> [Float]

    /// Describes a tensor whose rows come one range after the other.
    package init(
        name: String, dataType: DataType, shape: [Int], rows: @escaping @Sendable (Range<Int>) throws -> [Float]
    ) {
        self.name = name
        self.dataType = dataType
        self.shape = shape
        self.rows = rows
    }

    /// Describes a tensor that is in memory: `values` row-major, as many as `shape` has.
    package init(name: String, dataType: DataType = .f32, shape: [Int], values: [Float]) {
        let rowCount = shape.first ?? 1
        let rowLength = rowCount == 0 ? 0 : values.count / rowCount
        self.init(name: name, dataType: dataType, shape: shape) { range in
            Array(values[range.lowerBound * rowLength..<range.upperBound * rowLength])
        }
    }
}

/// A language model whose residual streams were read (table `language_model`).
package struct LanguageModelRecord: Equatable, Sendable {
    /// The key; 0 for a record that is yet to be written.
    package let languageModelID: Int64
    /// The publisher's name, such as `meta-llama/Llama-3.2-1B`, or the folder it was read from.
    package let name: String
    /// The publisher's revision; nil if unknown.
    package let revision: String?
    /// The family, such as `llama`.
    package let architecture: String
    /// Decoder layers.
    package let layerCount: Int
    /// Width of the residual stream.
    package let dModel: Int
    /// Entries of the vocabulary.
    package let vocabularySize: Int
    /// The model's own configuration, a JSON object.
    package let configJSON: String
    /// Lower-case hexadecimal SHA-256 of the weights (of the file, or of the shards' digests in order).
    package let sha256: String
    /// Lower-case hexadecimal SHA-256 of the tokenizer's file; nil where none was at hand.
    package let tokenizerSHA256: String?

    /// Describes a model.
    package init(
        languageModelID: Int64 = 0, name: String, revision: String? = nil, architecture: String, layerCount: Int,
        dModel: Int, vocabularySize: Int, configJSON: String, sha256: String, tokenizerSHA256: String? = nil
    ) {
        self.languageModelID = languageModelID
        self.name = name
        self.revision = revision
        self.architecture = architecture
        self.layerCount = layerCount
        self.dModel = dModel
        self.vocabularySize = vocabularySize
        self.configJSON = configJSON
        self.sha256 = sha256
        self.tokenizerSHA256 = tokenizerSHA256
    }
}
