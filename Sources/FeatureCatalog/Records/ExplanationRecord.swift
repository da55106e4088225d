/// An explanation of a feature (table `explanation`).
package struct ExplanationRecord: Equatable, Sendable {
    /// The key; 0 for a record that is yet to be written.
    package let explanationID: Int64
    /// The run that wrote it.
    package let runID: Int64
    /// The feature's dictionary.
    package let dictionaryID: Int64
    /// The latent's number.
    package let featureIndex: Int
    /// Its method, such as `n2g`; unique with the run and the feature.
    package let corpusID: Int64
    /// How it was made, such as `n2g`; with the run and the feature it is unique.
    package let method: String
    /// The explanation for people.
    package let text: String
    /// The explanation for simulators, a JSON object; nil if the text is all.
    package let detailJSON: String?

    /// Describes an explanation.
    package init(
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
