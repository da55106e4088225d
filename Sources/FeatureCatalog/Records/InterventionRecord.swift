package import Vocabulary

/// A text generated with a feature set, raised or scaled (table `intervention`).
package struct InterventionRecord: Equatable, Sendable {
    /// The run.
    package let runID: Int64
    /// The feature's dictionary.
    package let dictionaryID: Int64
    /// The latent's number.
    package let featureIndex: Int
    /// The operation.
    package let operation: EditOperation
    /// Its strength.
    package let strength: Double
    /// The prompt.
    package let prompt: String
    /// The generated text.
    package let text: String
    /// KL divergence from the unsteered model per token, nats; nil if not measured.
    package let kl: Double?
    /// Other figures, a JSON object.
    package let detailJSON: String?

    /// Describes an intervention.
    package init(
        runID: Int64, dictionaryID: Int64, featureIndex: Int, operation: EditOperation, strength: Double,
        prompt: String,
        text: String, kl: Double? = nil, detailJSON: String? = nil
    ) {
        self.runID = runID
        self.dictionaryID = dictionaryID
        self.featureIndex = featureIndex
        self.operation = operation
        self.strength = strength
        self.prompt = prompt
        self.text = text
        self.kl = kl
        self.detailJSON = detailJSON
    }
}
