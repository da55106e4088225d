/// The results of a run, by dictionary.
package enum RunOutcome {
    /// A dictionary that it indexed.
    package struct Index: Equatable, Sendable {
        /// The dictionary's name.
        package let dictionary: String
        /// Tokens of the corpus.
        package let tokenCount: Int
        /// Documents of the corpus.
        package let documentCount: Int
        /// The corpus's name.
        package let corpus: String
    }

    /// Scores of a run by one method.
    package struct Scores: Equatable, Sendable {
        /// The dictionary's name.
        package let dictionary: String
        /// The method.
        package let method: String
        /// Scores with a value.
        package let count: Int
        /// Their mean; nil without any.
        package let mean: Double?
        /// The mean baseline score; nil without any.
        package let meanChance: Double?
        /// Scores that are undefined.
        package let undefinedCount: Int
        /// Scores that failed.
        package let failedCount: Int
    }

    /// Figures of an evaluation.
    package struct Evaluation: Equatable, Sendable {
        /// The dictionary's name.
        package let dictionary: String
        /// How many figures.
        package let count: Int
        /// KL divergence over all layers, nats per token.
        package let kl: Double?
        /// The fraction of the loss recovered, over all layers.
        package let recovered: Double?
    }

    /// Texts of a steering run.
    package struct Steering: Equatable, Sendable {
        /// The dictionary's name.
        package let dictionary: String
        /// How many texts.
        package let count: Int
        /// Their mean KL divergence, nats.
        package let meanKL: Double?
    }
}
