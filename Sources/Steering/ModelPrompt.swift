package import Tokenization

/// A prompt as the model reads it.
package struct ModelPrompt: Sendable {
    /// The text, if a chat template made it.
    package var rendered: String?
    /// All tokens, BOS among them.
    package let tokens: [TokenID]
    /// How many of them are BOS: 0 or 1.
    package let prefix: Int
}
