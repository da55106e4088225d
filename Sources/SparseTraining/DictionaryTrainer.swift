package import LinearAlgebra
package import SparseCoding

/// Trains one dictionary, a batch a step.
package protocol DictionaryTrainer: AnyObject {
    /// How it is trained.
    var options: TrainingOptions { get }
    /// The weights and whatever else lasts from step to step.
    var state: TrainerState { get }

    /// One step: forward, backward, Adam, and the decoder's norms where they are due.
    ///
    /// - Parameter batch: at most `options.batchTokens` tokens, all of them real.
    /// - Returns: the losses before the update.
    /// - Throws: `SparseCodingError` for activations that do not fit or are not finite,
    ///   `TrainingError.lossNotFinite`; in either case the state stays as it was.
    @discardableResult
    func step(_ batch: ActivationBatch) throws -> StepReport

    /// The gradient of a batch's whole loss with respect to every weight, stored, and that loss; for comparison with
    /// oracles. Nothing is clipped, projected or updated, but where the options say so, b_pre moves before the
    /// first step.
    func gradients(_ batch: ActivationBatch) throws -> (loss: Float, gradients: DictionaryWeights)
}

extension DictionaryTrainer {
    /// The last act: decoder directions to unit norm.
    package func finish(_ workers: Workers) { state.finish(options, workers) }
}

extension TrainerState {
    /// The trainer that goes on from this state: sparse sums where k latents are active, dense products where a penalty
    /// decides.
    package func trainer(_ options: TrainingOptions, workers: Workers) -> any DictionaryTrainer {
        configuration.k == nil
            ? PenaltyTrainer(state: self, options: options, workers: workers)
            : TopKTrainer(state: self, options: options, workers: workers)
    }
}
