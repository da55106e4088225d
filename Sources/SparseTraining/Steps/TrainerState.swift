import CKernels
package import LinearAlgebra
package import SparseCoding

/// The state that a trainer carries from step to step: with it, its options and the rest of the stream, training
/// continues to the same bits. Checkpoints store it.
package final class TrainerState {
    /// A loss from which on Adam's second moments overflow: caused by an input that is constant up to round-off, whose
    /// norm divides its error.
    static let largestLoss: Float = 1e15

    /// The dictionary's architecture, sizes and rules.
    package let configuration: DictionaryConfiguration
    /// The weights, updated in place.
    package let weights: DictionaryWeights
    /// Adam's first moment of every weight.
    package let firstMoment: DictionaryWeights
    /// Adam's second moment of every weight.
    package let secondMoment: DictionaryWeights
    /// Steps completed.
    package var stepsDone = 0
    /// For each latent the number of tokens since it last fired.
    package var tokensSinceFired: [Int]

    /// The state before the first step: the given weights, the decoder normalised as the options say.
    package init(
        _ configuration: DictionaryConfiguration, options: TrainingOptions, weights: DictionaryWeights,
        workers: Workers
    ) {
        self.configuration = configuration
        self.weights = weights
        firstMoment = DictionaryWeights(configuration)
        secondMoment = DictionaryWeights(configuration)
        tokensSinceFired = Array(repeating: 0, count: configuration.latents)
        normaliseDecoder(options, workers)
    }

    /// A state to be filled from a checkpoint.
    package init(empty configuration: DictionaryConfiguration) {
        self.configuration = configuration
        weights = DictionaryWeights(configuration)
        firstMoment = DictionaryWeights(configuration)
        secondMoment = DictionaryWeights(configuration)
        tokensSinceFired = Array(repeating: 0, count: configuration.latents)
    }

    /// Restores the counters of a checkpoint.
    package func restore(stepsDone: Int, tokensSinceFired: [Int]) {
        precondition(tokensSinceFired.count == configuration.latents, "a counter for each latent")
        self.stepsDone = stepsDone
        self.tokensSinceFired = tokensSinceFired
    }

    /// Whether every weight is finite. A step checks its sums, not the updated weights.
    package var isFinite: Bool {
        weights.tensors.allSatisfy { rsae_all_finite($0.matrix.pointer, Int64($0.matrix.count)) != 0 }
    }

    /// Every array of floats by the name a checkpoint gives it.
    package var tensors: [(name: String, matrix: Matrix)] {
        let sets = [("weights", weights), ("first_moment", firstMoment), ("second_moment", secondMoment)]
        return sets.flatMap { kind, set in set.tensors.map { ("\(kind).\($0.name)", $0.matrix) } }
    }

    /// Moves the one threshold of all latents toward the least activation that a batch kept: the mean of the first
    /// twenty steps, then a running mean.
    func moveThreshold(toward least: Float) {
        let share = max(1 / Float(stepsDone + 1), 1 / 20)
        weights.threshold.pointer[0] += share * (least - weights.threshold.pointer[0])
    }

    /// Normalises the decoder as the options demand between steps.
    func normaliseDecoder(_ options: TrainingOptions, _ workers: Workers) {
        switch options.decoderNorm {
        case .unit: weights.normaliseDecoder(by: workers)
        case .unitPerLayer: weights.normaliseDecoder(parts: configuration.parts, by: workers)
        case .free: break
        }
    }

    /// Ends a step of `tokens` tokens: normalisation when due, and firing counters.
    func finishStep(_ options: TrainingOptions, tokens: Int, fired: (_ latent: Int) -> Bool, _ workers: Workers) {
        for latent in tokensSinceFired.indices {
            tokensSinceFired[latent] = fired(latent) ? 0 : tokensSinceFired[latent] + tokens
        }
        if stepsDone % options.normalizeEvery == 0 { normaliseDecoder(options, workers) }
        stepsDone += 1
    }

    /// Normalises every decoder direction at the end of training, in the way the options hold it.
    func finish(_ options: TrainingOptions, _ workers: Workers) {
        if options.decoderNorm == .free {
            weights.foldNorms(by: workers)
        } else {
            normaliseDecoder(options, workers)
        }
    }

    /// The latents that have not fired for as many tokens as the options allow.
    func deadLatents(_ options: TrainingOptions) -> [Int] {
        tokensSinceFired.indices.filter { tokensSinceFired[$0] >= options.deadAfterTokens }
    }
}
