/// A person's verdict on a feature or on one of its explanations (table `review`).
public struct ReviewRecord: Equatable, Sendable {
    /// The verdicts.
    public enum Verdict: String, CaseIterable, Sendable {
        /// It holds.
        case agree
        /// It does not.
        case disagree
        /// It cannot be told.
        case unsure
    }

    /// The feature's dictionary.
    public let dictionaryID: Int64
    /// The latent's number.
    public let featureIndex: Int
    /// The explanation judged; nil for the feature as such.
    public let explanationID: Int64?
    /// The verdict.
    public let verdict: Verdict
    /// Why, in the person's words.
    public let note: String?
    /// Who, as they wish to be named.
    public let reviewer: String?
    /// UTC, ISO 8601; the catalog sets it when the review is written.
    public let createdAt: String?

    /// Describes a review.
    public init(
        dictionaryID: Int64, featureIndex: Int, explanationID: Int64? = nil, verdict: Verdict, note: String? = nil,
        reviewer: String? = nil, createdAt: String? = nil
    ) {
        self.dictionaryID = dictionaryID
        self.featureIndex = featureIndex
        self.explanationID = explanationID
        self.verdict = verdict
        self.note = note
        self.reviewer = reviewer
        self.createdAt = createdAt
    }
}
