/// A text generated while a feature was held, raised or scaled (table `intervention`).
public struct InterventionRecord: Equatable, Sendable {
    /// What was done to the latent.
    public enum Operation: String, CaseIterable, Sendable {
        /// Set to the strength.
        case set
        /// The strength added.
        case add
        /// Multiplied by the strength.
        case multiply
    }

    /// The run.
    public let runID: Int64
    /// The feature's dictionary.
    public let dictionaryID: Int64
    /// The latent's number.
    public let featureIndex: Int
    /// What was done.
    public let operation: Operation
    /// How strongly.
    public let strength: Double
    /// The prompt.
    public let prompt: String
    /// What the model wrote after it.
    public let text: String
    /// KL divergence to the unsteered model per token, nats; nil where it was not measured.
    public let kl: Double?
    /// Other figures, a JSON object.
    public let detailJSON: String?

    /// Describes an intervention.
    public init(
        runID: Int64, dictionaryID: Int64, featureIndex: Int, operation: Operation, strength: Double, prompt: String,
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
