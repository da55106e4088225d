import SparseCoding

/// The share of tokens that a hard router explores (`LayerExploration`) over a run: linear from the first step to the
/// last.
package struct ExplorationSchedule: Sendable, Encodable, Equatable {
    /// ε at the first step.
    package let first: Float
    /// ε at the last step.
    package let last: Float

    /// The chosen schedule, by default from 1 to 0; nil where nothing is explored. A first share alone stays as it is.
    ///
    /// - Throws: `SparseCodingError.setting` for a value out of range.
    init?(_ choices: Hyperparameters, _ setup: TrainingSetup) throws(SparseCodingError) {
        first = try Hyperparameters.exploration.value(choices.exploration, setup)
        last = try Hyperparameters.finalExploration.value(choices.finalExploration ?? choices.exploration, setup)
        if first == 0, last == 0 { return nil }
    }

    /// The exploration of a step, counted from 0, of a run of `steps`.
    func exploration(at step: Int, of steps: Int) -> LayerExploration {
        let progress = Float(Double(step) / Double(max(steps - 1, 1)))
        return LayerExploration(share: first + (last - first) * progress, step: step)
    }
}
