/// What a feature is said to mean (table `explanation`).
public struct ExplanationRecord: Equatable, Sendable {
    /// The key; 0 for a record that is yet to be written.
    public let explanationID: Int64
    /// The run that wrote it.
    public let runID: Int64
    /// The feature's dictionary.
    public let dictionaryID: Int64
    /// The latent's number.
    public let featureIndex: Int
    /// The corpus whose contexts it rests on.
    public let corpusID: Int64
    /// How it was made, such as `n2g`; with the run and the feature it is unique.
    public let method: String
    /// For people.
    public let text: String
    /// For programs: whatever a simulator needs, a JSON object; nil where the text is all.
    public let detailJSON: String?

    /// Describes an explanation.
    public init(
        explanationID: Int64 = 0, runID: Int64, dictionaryID: Int64, featureIndex: Int, corpusID: Int64, method: String,
        text: String, detailJSON: String? = nil
    ) {
        self.explanationID = explanationID
        self.runID = runID
        self.dictionaryID = dictionaryID
        self.featureIndex = featureIndex
        self.corpusID = corpusID
        self.method = method
        self.text = text
        self.detailJSON = detailJSON
    }
}
