/// All that indexing found of one feature, ready to be written at once.
public struct FeatureEntry: Sendable {
    /// Its statistics.
    public let record: FeatureRecord
    /// Its firings by layer, only layers where it fired.
    public let layers: [FeatureLayerRecord]
    /// Its token classes, at most ``FeatureTokenRecord/keptClassCount``: those with the highest peaks.
    public let tokens: [FeatureTokenRecord]
    /// Its contexts, in any order.
    public let contexts: [ContextEntry]
    /// Features that fire on the same tokens, the most frequent first.
    public let cofirings: [CofiringRecord]

    /// Collects what was found.
    public init(
        record: FeatureRecord, layers: [FeatureLayerRecord] = [], tokens: [FeatureTokenRecord] = [],
        contexts: [ContextEntry] = [], cofirings: [CofiringRecord] = []
    ) {
        self.record = record
        self.layers = layers
        self.tokens = tokens
        self.contexts = contexts
        self.cofirings = cofirings
    }
}
