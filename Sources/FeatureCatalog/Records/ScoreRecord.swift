/// How well an explanation, or a feature, did in a test (table `score`). A failure is never a number.
public struct ScoreRecord: Equatable, Sendable {
    /// The tests.
    public enum Method: String, CaseIterable, Sendable {
        /// Correlation of simulated and true activations.
        case simulation
        /// Does this text contain the feature?
        case detection
        /// Are the marked tokens the right ones?
        case fuzzing
        /// A judge's category and score of 1 to 5.
        case rubric
    }

    /// What came of it.
    public enum Status: String, CaseIterable, Sendable {
        /// `value` holds.
        case ok
        /// It could not be done, and `reason` says why; worth another try.
        case failed
        /// It was done and has no value (no variance), and `reason` says why; not worth another try.
        case undefined
    }

    /// The key; 0 for a record that is yet to be written.
    public let scoreID: Int64
    /// The run that scored it.
    public let runID: Int64
    /// The feature's dictionary.
    public let dictionaryID: Int64
    /// The latent's number.
    public let featureIndex: Int
    /// The corpus whose contexts it rests on.
    public let corpusID: Int64
    /// What was scored; nil where the feature itself was (a rubric).
    public let explanationID: Int64?
    /// The test.
    public let method: Method
    /// What came of it.
    public let status: Status
    /// The score; present exactly when `status` is `ok`.
    public let value: Double?
    /// The score of another feature's explanation on the same contexts: chance.
    public let baselineValue: Double?
    /// What kind of pattern a judge saw; of a rubric alone.
    public let category: FeatureCategory?
    /// Why there is no value; present exactly when `status` is not `ok`.
    public let reason: String?
    /// Contexts used.
    public let contextCount: Int
    /// Tokens used.
    public let tokenCount: Int
    /// Other figures, a JSON object of numbers (and nulls).
    public let metricsJSON: String?
    /// Everything else, such as the answers of a judge, a JSON document kept compressed.
    public let detailJSON: String?

    /// Describes a score.
    public init(
        scoreID: Int64 = 0, runID: Int64, dictionaryID: Int64, featureIndex: Int, corpusID: Int64,
        explanationID: Int64?, method: Method, status: Status, value: Double?, baselineValue: Double? = nil,
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
