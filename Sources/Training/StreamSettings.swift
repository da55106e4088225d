import ActivationPipeline
package import LinearAlgebra

/// The settings of the activation stream: the same for all dictionaries of a sweep.
package struct StreamSettings: Sendable, Codable, Equatable {
    /// Model folder, for training live from text.
    package var model: String?
    /// The model's name in the catalog; nil takes the folder's.
    package var modelName: String?
    /// Text files and folders, likewise.
    package var text: [String] = []
    /// Activation files, for training without a model.
    package var activations: [String] = []
    /// What the products of the model and of the encoders take; nil means f32.
    package var precision: Precision?
    /// The most tokens the model sees at once.
    package var context: Int?
    /// Tokens of a batch.
    package var batchTokens = 4096
    /// Steps; nil takes them from `tokens`.
    package var steps: Int?
    /// Training tokens, where `steps` is nil.
    package var tokens: Int?
    /// Whether documents and tokens are shuffled.
    package var shuffle = true
    /// Tokens that a live stream keeps buffered to draw batches from; nil takes two batches, 32768 at least.
    package var shuffleBuffer: Int?
    /// Whether training includes BOS; nil excludes it when corrected, and includes it as the reference's code does.
    package var includesBOS: Bool?
    /// Seed of the stream's order; nil takes the dictionary's. All dictionaries of a sweep share it.
    package var streamSeed: UInt64?
}
