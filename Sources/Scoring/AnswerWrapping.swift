import FeatureScoring

/// Counts the wrapping removed from a judge's answers.
package struct AnswerWrapping: Sendable, Equatable {
    /// Answers that were used.
    package private(set) var answers = 0
    /// Of these, those within a code fence.
    package private(set) var fenced = 0
    /// Of these, those with think blocks before them.
    package private(set) var thought = 0

    /// Starts at zero.
    init() {}

    /// Counts an answer.
    mutating func note(_ answer: UnwrappedAnswer) {
        answers += 1
        if answer.isFenced { fenced += 1 }
        if answer.thoughtCount > 0 { thought += 1 }
    }

    /// The counts as figures of a score; zeros are left out.
    var metrics: [String: Double] {
        ["fenced_answers": fenced, "thinking_answers": thought].filter { $0.value > 0 }.mapValues(Double.init)
    }
}
