package import LinearAlgebra
package import SparseCoding

/// Trains one dictionary, a batch a step.
package protocol DictionaryTrainer: AnyObject {
    /// The training options.
    var options: TrainingOptions { get }
    /// Weights, optimizer moments and counters.
    var state: TrainerState { get }

    /// One step: forward, backward, Adam, and normalisation of the decoder when due.
    ///
    /// - Parameter batch: at most `options.batchTokens` tokens, all of them real.
    /// - Returns: the losses before the update.
    /// - Throws: `SparseCodingError` for activations that do not fit or are not finite,
    ///   `TrainingError.lossNotFinite`; in either case the state stays as it was.
    @discardableResult
    func step(_ batch: ActivationBatch) throws -> StepReport

    /// The gradient of a batch's whole loss for every weight, and that loss; for comparison with
    /// oracles. Nothing is clipped, projected or updated, except that the options may move b_pre before the
    /// first step.
    func gradients(_ batch: ActivationBatch) throws -> (loss: Float, gradients: DictionaryWeights)
}

extension DictionaryTrainer {
    /// Normalises decoder directions at the end of training.
    package func finish(_ workers: Workers) { state.finish(options, workers) }
}

extension TrainerState {
    /// The trainer that continues from this state: sparse sums for k active latents, dense products with a
    /// penalty.
    ///
    /// - Parameter precision: of the encoder's product.
    package func trainer(
        _ options: TrainingOptions, workers: Workers, precision: Precision = .f32
    ) -> any DictionaryTrainer {
        configuration.k == nil && options.batchK == nil
            ? PenaltyTrainer(state: self, options: options, workers: workers, precision: precision)
            : TopKTrainer(state: self, options: options, workers: workers, precision: precision)
    }
}
