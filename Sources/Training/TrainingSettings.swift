package import LinearAlgebra
import SparseCoding
package import SparseTraining
package import Vocabulary

/// The settings of one dictionary's training, stored as one JSON document: what
/// `routesae runs CATALOG ID --format json` prints under `config` and `routesae train --config FILE` takes.
///
/// The document is flat: its keys are the properties of the three parts.
@dynamicMemberLookup
package struct TrainingSettings: Sendable, Codable, Equatable {
    /// The stream of activations.
    package var stream: StreamSettings
    /// The architecture, sizes and start.
    package var shape: DictionaryShape
    /// The hyperparameters.
    package var choices: Hyperparameters

    /// Makes settings; parameters left out take their defaults.
    package init(
        name: String? = nil, architecture: Architecture = .route, model: String? = nil,
        modelName: String? = nil, text: [String] = [], activations: [String] = [], layers: [Int]? = nil, latents: Int,
        k: Int? = nil, routing: RoutingMode = .hard,
        aggregation: RouterAggregation = .sum, fidelity: Fidelity = .corrected, batchTokens: Int = 4096,
        steps: Int? = nil, tokens: Int? = nil, choices: Hyperparameters = Hyperparameters(), context: Int? = nil,
        shuffle: Bool = true, shuffleBuffer: Int? = nil, includesBOS: Bool? = nil, seed: UInt64 = 0,
        streamSeed: UInt64? = nil, initialWeights: String? = nil, dtype: String = "f32", precision: Precision? = nil
    ) {
        stream = StreamSettings(
            model: model, modelName: modelName, text: text, activations: activations, precision: precision,
            context: context, batchTokens: batchTokens, steps: steps, tokens: tokens, shuffle: shuffle,
            shuffleBuffer: shuffleBuffer,
            includesBOS: includesBOS, streamSeed: streamSeed)
        shape = DictionaryShape(
            name: name, architecture: architecture, layers: layers, latents: latents, k: k, routing: routing,
            aggregation: aggregation, fidelity: fidelity, seed: seed, initialWeights: initialWeights, dtype: dtype)
        self.choices = choices
    }

    /// Reads the three parts from one object.
    ///
    /// - Throws: `DecodingError` for a key that is missing or of the wrong kind.
    package init(from decoder: any Decoder) throws {
        stream = try StreamSettings(from: decoder)
        shape = try DictionaryShape(from: decoder)
        choices = try Hyperparameters(from: decoder)
    }

    /// Writes the three parts into one object.
    package func encode(to encoder: any Encoder) throws {
        try stream.encode(to: encoder)
        try shape.encode(to: encoder)
        try choices.encode(to: encoder)
    }

    /// The keys of a part's JSON form: its properties.
    static func properties(of part: Any) -> Set<String> { Set(Mirror(reflecting: part).children.compactMap(\.label)) }

    /// Every key of the JSON form.
    package static let keys: Set<String> = streamKeys.union(properties(of: DictionaryShape(latents: 1)))
        .union(properties(of: Hyperparameters()))

    /// Keys of the stream's settings.
    static let streamKeys: Set<String> = properties(of: StreamSettings())

    package subscript<Value>(dynamicMember path: WritableKeyPath<StreamSettings, Value>) -> Value {
        get { stream[keyPath: path] }
        set { stream[keyPath: path] = newValue }
    }

    package subscript<Value>(dynamicMember path: WritableKeyPath<DictionaryShape, Value>) -> Value {
        get { shape[keyPath: path] }
        set { shape[keyPath: path] = newValue }
    }
}
