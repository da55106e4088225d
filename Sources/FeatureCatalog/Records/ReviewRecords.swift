/// A person's verdict on a feature or on one of its explanations (table `review`).
package struct ReviewRecord: Equatable, Sendable {
    /// Valid verdicts: 5 is a clear pattern without exceptions, 1 is none (the rubric of the RouteSAE paper).
    package static let verdicts = 1...5

    /// The feature's dictionary.
    package let dictionaryID: Int64
    /// The latent's number.
    package let featureIndex: Int
    /// The explanation judged; nil for the feature as such.
    package let explanationID: Int64?
    /// The verdict, one of ``verdicts``.
    package let verdict: Int
    /// The kind of pattern; nil if not given.
    package let category: FeatureCategory?
    /// The reviewer's reason.
    package let note: String?
    /// The reviewer, by a name of their choice.
    package let reviewer: String?
    /// UTC, ISO 8601; the catalog sets it when the review is written.
    package let createdAt: String?

    /// Describes a review.
    package init(
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

/// The kind of a feature's pattern: the categories of the RouteSAE paper's rubric (arXiv 2503.08200).
package enum FeatureCategory: String, CaseIterable, Sendable, Codable {
    /// Words, tokens, syntax.
    case lowLevel = "low-level"
    /// Meaning.
    case highLevel = "high-level"
    /// None discernible.
    case undiscernible
}

/// A verdict as it was written, with what tells its row from every other.
package struct WrittenReview: Equatable, Sendable {
    /// The row's key; SQLite gives it to another row once this one is deleted.
    package let reviewID: Int64
    /// The catalog's uuid.
    package let catalogUUID: String
    /// The row, with the time at which it was written.
    package let review: ReviewRecord

    /// Describes a row.
    package init(reviewID: Int64, catalogUUID: String, review: ReviewRecord) {
        (self.reviewID, self.catalogUUID, self.review) = (reviewID, catalogUUID, review)
    }
}
