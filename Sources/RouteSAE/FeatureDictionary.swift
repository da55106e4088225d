import ActivationPipeline
import FeatureCatalog
import LinearAlgebra
import SparseCoding
import Vocabulary

/// A sparse autoencoder, with a router where it reads several layers.
///
///     let dictionary = try Catalog(opening: "demo.sqlite").dictionary()
///     for token in try dictionary.encode(activations) { print(token.layer, token.indices, token.activations) }
public struct FeatureDictionary: Sendable {
    private let stored: StoredDictionary

    /// Tokens that are encoded at once.
    private static let piece = 1024

    init(_ stored: StoredDictionary) { self.stored = stored }

    /// Its name in the catalog.
    public var name: String { stored.record.name }
    /// The system: `route`, `topk`, `vanilla`, `gated`, `jumprelu`, `crosscoder`, `mlsae` or `random`.
    public var architecture: String { stored.configuration.architecture.rawValue }
    /// The decoder layers it reads, counted from 0, ascending.
    public var layers: [Int] { stored.configuration.layers }
    /// Width of the residual stream.
    public var dModel: Int { stored.configuration.dModel }
    /// Number of latents.
    public var latentCount: Int { stored.configuration.latents }
    /// Active latents of a token; nil where a penalty keeps it sparse.
    public var k: Int? { stored.configuration.k }

    /// A latent's decoder vector, `[dModel]`, or `[layers × dModel]` of a crosscoder.
    ///
    /// - Precondition: `index` is below ``latentCount``.
    public func decoderVector(of index: Int) -> [Float] {
        precondition((0..<latentCount).contains(index), "dictionary \"\(name)\" has no latent \(index)")
        let decoder = stored.weights.decoder
        return Array(UnsafeBufferPointer(start: decoder.row(index), count: decoder.columns))
    }

    /// Encodes activations: the same encode path as training and indexing, to the bit.
    ///
    /// - Parameters:
    ///   - activations: at least the dictionary's ``layers``, of its ``dModel``. A `random` dictionary draws each token's layer
    ///     from its position in them.
    ///   - threads: the most threads; nil for one a processor. The result does not depend on it.
    /// - Returns: the active latents of every token, in order.
    /// - Throws: ``RouteSAEError`` `.badInput` where a layer is missing or a value cannot be squared, `.usage` for another
    ///   width.
    public func encode(_ activations: Activations, threads: Int? = nil) throws(RouteSAEError) -> [TokenLatents] {
        try RouteSAEError.wrapping {
            let configuration = stored.configuration
            let encoder = DictionaryEncoder(
                configuration: configuration, weights: stored.weights, workers: Workers(threads: threads))
            return try stride(from: 0, to: activations.tokenCount, by: Self.piece).flatMap { start in
                let tokens = start..<min(start + Self.piece, activations.tokenCount)
                let input = AutoencoderInput(capacity: tokens.count, configuration: configuration)
                try encoder.read(activations.batch(of: tokens), into: input)
                let encoded = SparseLatents(capacity: tokens.count, configuration: configuration)
                encoder.encode(input, count: tokens.count * configuration.samplesPerToken, into: encoded)
                let latents = ActivationPipeline.TokenLatents(encoded, input, count: tokens.count, configuration)
                return tokens.indices.map { TokenLatents($0 - start, of: latents, configuration) }
            }
        }
    }
}

/// The latents that are active at one token.
public struct TokenLatents: Sendable, Equatable {
    /// Their numbers, ascending.
    public let indices: [Int]
    /// Their activations, in the order of ``indices``.
    public let activations: [Float]
    /// The decoder layer that each was read from, in the order of ``indices``: the router's choice, the same for all of a
    /// token, but for an MLSAE the layer at which the latent is strongest; a crosscoder, which reads all layers, has its first.
    public let layers: [Int]

    init(_ row: Int, of tokens: ActivationPipeline.TokenLatents, _ configuration: DictionaryConfiguration) {
        let latents = tokens.latents
        let active = (0..<Int(latents.counts[row])).filter { latents.activations(of: row)[$0] != 0 }
        indices = active.map { Int(latents.indices(of: row)[$0]) }
        activations = active.map { latents.activations(of: row)[$0] }
        layers = indices.map { configuration.layers[tokens.layer(of: $0, at: row)] }
    }
}
