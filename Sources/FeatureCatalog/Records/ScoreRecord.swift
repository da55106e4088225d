package import Vocabulary

/// How well an explanation, or a feature, did in a test (table `score`). A failure is never a number.
package struct ScoreRecord: Equatable, Sendable {
    /// What came of it.
    package enum Status: String, CaseIterable, Sendable {
        /// `value` holds.
        case ok
        /// It could not be done, and `reason` says why; worth another try.
        case failed
        /// It was done and has no value (no variance), and `reason` says why; not worth another try.
        case undefined
    }

    /// The key; 0 for a record that is yet to be written.
    package let scoreID: Int64
    /// The run that scored it.
    package let runID: Int64
    /// The feature's dictionary.
    package let dictionaryID: Int64
    /// The latent's number.
    package let featureIndex: Int
    /// The corpus whose contexts it rests on.
    package let corpusID: Int64
    /// What was scored; nil where the feature itself was (a rubric).
    package let explanationID: Int64?
    /// The test.
    package let method: ScoreMethod
    /// What came of it.
    package let status: Status
    /// The score; present exactly when `status` is `ok`.
    package let value: Double?
    /// The score of another feature's explanation on the same contexts: chance.
    package let baselineValue: Double?
    /// What kind of pattern a judge saw; of a rubric alone.
    package let category: FeatureCategory?
    /// Why there is no value; present exactly when `status` is not `ok`.
    package let reason: String?
    /// Contexts used.
    package let contextCount: Int
    /// Tokens used.
    package let tokenCount: Int
    /// Other figures, a JSON object of numbers (and nulls).
    package let metricsJSON: String?
    /// Everything else, such as the answers of a judge, a JSON document kept compressed.
    package let detailJSON: String?

    /// Describes a score.
    package init(
        scoreID: Int64 = 0, runID: Int64, dictionaryID: Int64, featureIndex: Int, corpusID: Int64,
        explanationID: Int64?, method: ScoreMethod, status: Status, value: Double?, baselineValue: Double? = nil,
        category: FeatureCategory? = nil, reason: String? = nil,
        contextCount: Int, tokenCount: Int, metricsJSON: String? = nil, detailJSON: String? = nil
    ) {
        self.scoreID = scoreID
        self.runID = runID
        self.dictionaryID = dictionaryID
        self.featureIndex = featureIndex
        self.corpusID = corpusID
        self.explanationID = explanationID
        self.method = method
        self.status = status
        self.value = value
        self.baselineValue = baselineValue
        self.category = category
        self.reason = reason
        self.contextCount = contextCount
        self.tokenCount = tokenCount
        self.metricsJSON = metricsJSON
        self.detailJSON = detailJSON
    }
}
