import SparseCoding
package import Vocabulary

/// What a dictionary is, before training: architecture, sizes and start.
package struct DictionaryShape: Sendable, Codable, Equatable {
    /// Name of the dictionary in the catalog; nil makes one from the architecture and its sizes.
    package var name: String?
    /// The architecture.
    package var architecture = Architecture.route
    /// Decoder layers; nil takes the paper's range for the model, or all layers of the activation files.
    package var layers: [Int]?
    /// m.
    package var latents: Int
    /// k; nil for an architecture with a sparsity penalty.
    package var k: Int?
    /// Whether k latents of every token are kept, or k on the mean over a batch; nil for the former.
    package var sparsity: ActivationSparsity?
    /// Hard or soft.
    package var routing = RoutingMode.hard
    /// Sum or mean.
    package var aggregation = RouterAggregation.sum
    /// Reference or corrected.
    package var fidelity = Fidelity.corrected
    /// Seed of the weights.
    package var seed: UInt64 = 0
    /// Initial weights, a safetensors file with the reference's names.
    package var initialWeights: String?
    /// How the catalog stores the weights: f32, f16 or bf16.
    package var dtype = "f32"
}
