import ActivationPipeline
import Foundation
package import LinearAlgebra
import SparseCoding

/// The settings of an evaluation, stored as one JSON document.
package struct EvaluationSettings: Sendable, Codable, Equatable {
    /// The dictionary's name or number; nil is the last one added.
    package var dictionary: String?
    /// Model folder.
    package var model: String
    /// What the products of the model and of the encoders take; nil means f32.
    package var precision: Precision?
    /// Text files and folders; none takes the documents that the catalog has of a corpus.
    package var text: [String]
    /// The corpus's name in the catalog; with text nil names it after the files and folders, without text nil
    /// takes the corpus that was added last.
    package var corpus: String?
    /// Stops after this many real tokens; nil reads all.
    package var maximumTokens: Int?
    /// The most tokens the model sees at once, BOS included; nil for all its positions, 2048 at most.
    package var context: Int?
    /// The zeroed model, only needed as the far end of a scale, runs on every segment whose number in the text is
    /// a multiple of this.
    package var zeroEvery: Int
    /// Resamples of the bootstrap.
    package var resamples: Int
    /// Seed of the bootstrap.
    package var seed: UInt64

    /// What is measured; nil for `substitution` alone.
    package var measures: [Measure]?
    /// Whether documents are taken in an order drawn by `seed`, so that `maximumTokens` takes a sample of them; nil for
    /// the order of the text.
    package var shuffle: Bool?
    /// The layers that coverage predicts and a census counts; a run records those it took. Nil takes all that are read by
    /// dictionaries of the model.
    package var layers: [Int]?
    /// The single-layer dictionaries whose features a census counts, by name or number; a run records those it took. Nil
    /// takes all that fit.
    package var union: [String]?
    /// A census counts only features whose explanation reaches this simulation score; nil for all features.
    package var minScore: Double?
    /// The labels that are probed; nil for all.
    package var labels: [TextLabel]?

    /// Makes settings.
    package init(
        dictionary: String? = nil, model: String, text: [String] = [], corpus: String? = nil,
        maximumTokens: Int? = nil, context: Int? = nil, zeroEvery: Int = 16, resamples: Int = 1000, seed: UInt64 = 0,
        precision: Precision? = nil, measures: [Measure]? = nil, shuffle: Bool? = nil, layers: [Int]? = nil,
        union: [String]? = nil, minScore: Double? = nil, labels: [TextLabel]? = nil
    ) {
        self.dictionary = dictionary
        self.model = model
        self.precision = precision
        self.text = text
        self.corpus = corpus
        self.maximumTokens = maximumTokens
        self.context = context
        self.zeroEvery = zeroEvery
        self.resamples = resamples
        self.seed = seed
        self.measures = measures
        self.shuffle = shuffle
        self.layers = layers
        self.union = union
        self.minScore = minScore
        self.labels = labels
    }

    /// Whether something is measured.
    func includes(_ measure: Measure) -> Bool { (measures ?? [.substitution]).contains(measure) }

    /// Whether anything is measured on latents alone.
    var measuresLatents: Bool { (measures ?? []).contains { $0 != .substitution } }

    func validate() throws(WorkflowError) {
        if let maximumTokens { try Allowed.from(1).check(maximumTokens, of: "maximumTokens") }
        try Allowed.upTo(1_000_000).check(zeroEvery, of: "zeroEvery")
        try Allowed.upTo(100_000).check(resamples, of: "resamples")
    }
}
