/// All rows of one feature found by indexing, to be written at once.
package struct FeatureEntry: Sendable {
    /// Its statistics.
    package let record: FeatureRecord
    /// Its firings by layer, only layers where it fired.
    package let layers: [FeatureLayerRecord]
    /// Its token classes, at most ``FeatureTokenRecord/keptClassCount``: those with the highest peaks.
    package let tokens: [FeatureTokenRecord]
    /// Its contexts, in any order.
    package let contexts: [ContextEntry]
    /// Features that fire on the same tokens, the most frequent first.
    package let cofirings: [CofiringRecord]

    /// Collects what was found.
    package init(
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
