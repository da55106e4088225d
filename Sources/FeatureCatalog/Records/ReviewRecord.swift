/// A person's verdict on a feature or on one of its explanations (table `review`).
public struct ReviewRecord: Equatable, Sendable {
    /// What a verdict may be: 5 is a clear pattern without exceptions, 1 is none (the rubric of the RouteSAE paper).
    public static let verdicts = 1...5

    /// The feature's dictionary.
    public let dictionaryID: Int64
    /// The latent's number.
    public let featureIndex: Int
    /// The explanation judged; nil for the feature as such.
    public let explanationID: Int64?
    /// The verdict, one of ``verdicts``.
    public let verdict: Int
    /// What kind of pattern it is; nil if that was not said.
    public let category: FeatureCategory?
    /// Why, in the person's words.
    public let note: String?
    /// Who, as they wish to be named.
    public let reviewer: String?
    /// UTC, ISO 8601; the catalog sets it when the review is written.
    public let createdAt: String?

    /// Describes a review.
    public init(
        dictionaryID: Int64, featureIndex: Int, explanationID: Int64? = nil, verdict: Int,
        category: FeatureCategory? = nil, note: String? = nil,
        reviewer: String? = nil, createdAt: String? = nil
    ) {
        self.dictionaryID = dictionaryID
        self.featureIndex = featureIndex
        self.explanationID = explanationID
        self.verdict = verdict
        self.category = category
        self.note = note
        self.reviewer = reviewer
        self.createdAt = createdAt
    }
}
