package import LinearAlgebra

/// The settings of a scoring run, stored as one JSON document.
package struct ScoringSettings: Sendable, Codable, Equatable {
    /// The stratification of a sample.
    package enum Stratum: String, CaseIterable, Sendable, Codable {
        /// Tenths of the features by firing rate.
        case firingRate = "firing-rate"
        /// The layer in which a feature fires most.
        case layer
    }

    /// The dictionary's name; nil is the last one added.
    package var dictionary: String?
    /// The corpus whose contexts are used, by name or number; nil is the one indexed last.
    package var corpus: String?
    /// Model folder; nil explains from the contexts alone (observed n-grams).
    package var model: String?
    /// What the products of the model and of the encoder take; nil means f32.
    package var precision: Precision?
    /// Size of the sample, drawn by the seed among the features that qualify; nil takes all.
    package var sample: Int?
    /// Exactly these features; overrides the sample.
    package var features: [Int]?
    /// A feature qualifies if it fired at least this often.
    package var minimumFirings: Int
    /// A feature qualifies if all of these hold of its columns in `feature_summary`, such as `layer_entropy < 1`.
    package var conditions: [String]?
    /// The stratification of the sample; nil for a simple random sample.
    package var stratum: Stratum?
    /// The most tokens of a pattern.
    package var maximumSuffix: Int
    /// The language model that explains and judges; nil for token patterns only.
    package var judge: JudgeSettings?
    /// Seed of the sample and of the baseline's permutation.
    package var seed: UInt64

    /// Makes settings; the defaults are the paper's sample of 100.
    package init(
        dictionary: String? = nil, corpus: String? = nil, model: String? = nil, sample: Int? = 100,
        features: [Int]? = nil, minimumFirings: Int = 20, conditions: [String]? = nil, stratum: Stratum? = nil,
        maximumSuffix: Int = 12, judge: JudgeSettings? = nil, seed: UInt64 = 0, precision: Precision? = nil
    ) {
        self.dictionary = dictionary
        self.corpus = corpus
        self.model = model
        self.precision = precision
        self.sample = sample
        self.features = features
        self.minimumFirings = minimumFirings
        self.conditions = conditions
        self.stratum = stratum
        self.maximumSuffix = maximumSuffix
        self.judge = judge
        self.seed = seed
    }
}
