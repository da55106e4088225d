import ActivationPipeline
import FeatureCatalog
import Indexing
import Vocabulary

/// A stretch of text around a token that a feature fires on.
public struct FeatureContext: Sendable, Equatable {
    /// The texts of the window's tokens; empty where the catalog does not hold the vocabulary. Bytes that are not UTF-8 by
    /// themselves appear as U+FFFD.
    public let tokens: [String]
    /// The feature's activation at every token of the window `[tokens]`; 0 where it does not fire.
    public let activations: [Float]
    /// The strongest activation, at ``peak``.
    public let activation: Float
    /// Position of the strongest token in the window, from 0.
    public let peak: Int
    /// The decoder layer that the strongest token was routed to.
    public let layer: Int
}

extension Catalog {
    /// The strongest contexts of a feature, the strongest first.
    ///
    /// - Parameters:
    ///   - index: the feature's number.
    ///   - dictionary: the dictionary's name; nil takes the one added last.
    ///   - corpus: the text it was indexed on, by name; nil takes the one indexed last.
    ///   - limit: the most contexts.
    /// - Throws: ``RouteSAEError`` `.missing` where there is no such feature, `.refused` for a dictionary that is not
    ///   indexed, `.badInput` for a damaged file.
    public func contexts(
        of index: Int, in dictionary: String? = nil, on corpus: String? = nil, limit: Int = 10
    ) throws(RouteSAEError) -> [FeatureContext] {
        try RouteSAEError.wrapping {
            let indexed = try IndexedDictionary(named: dictionary, corpus: corpus, in: file)
            _ = try file.feature(indexed.key, featureIndex: index)
            let contexts = try file.contexts(indexed.key, featureIndex: index, band: .top).prefix(max(limit, 0))
            let windows = try ContextTokens(catalog: file, dictionary: indexed).windows(of: Array(contexts))
            return contexts.map {
                FeatureContext(
                    tokens: windows[$0.contextID]?.map(\.text) ?? [], activations: $0.activations,
                    activation: $0.activation, peak: $0.tokenPosition - $0.windowStart, layer: $0.layer)
            }
        }
    }
}
