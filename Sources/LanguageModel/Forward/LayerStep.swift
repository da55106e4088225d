/// A layer as a pass over tokens that continue a sequence takes it. An object: threads that go through many layers together
/// count references to one thing a layer, instead of to each of its arrays.
final class LayerStep {
    let weights: LayerWeights
    let layer: DecoderLayer
    /// The layer's KV cache.
    let kept: AttentionMemory

    init(_ weights: LayerWeights, _ layer: DecoderLayer, keeping kept: AttentionMemory) {
        self.weights = weights
        self.layer = layer
        self.kept = kept
    }
}
