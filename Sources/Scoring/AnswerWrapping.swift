import FeatureScoring

/// What was around the answers that a judge gave, and was taken off.
package struct AnswerWrapping: Sendable, Equatable {
    /// Answers that were used.
    package private(set) var answers = 0
    /// Of these, those within a code fence.
    package private(set) var fenced = 0
    /// Of these, those with think blocks before them.
    package private(set) var thought = 0

    /// Nothing was answered yet.
    init() {}

    /// Counts an answer.
    mutating func note(_ answer: UnwrappedAnswer) {
        answers += 1
        if answer.isFenced { fenced += 1 }
        if answer.thoughtCount > 0 { thought += 1 }
    }

    /// The same as figures of a score; none of what does not occur.
    var metrics: [String: Double] {
        ["fenced_answers": fenced, "thinking_answers": thought].filter { $0.value > 0 }.mapValues(Double.init)
    }
}
