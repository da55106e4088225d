/// A figure about a dictionary (table `evaluation`).
package struct EvaluationRecord: Equatable, Sendable {
    /// The run that measured it.
    package let runID: Int64
    /// The dictionary.
    package let dictionaryID: Int64
    /// The metric, such as `norm_mse`, `explained_variance`, `kl`, `delta_ce`, `recovered`.
    package let metric: String
    /// The decoder layer; nil for all layers together.
    package let layer: Int?
    /// The figure; nil where it is undefined.
    package let value: Double?
    /// Lower end of the 95 % interval.
    package let low: Double?
    /// Upper end of the 95 % interval.
    package let high: Double?
    /// Tokens it rests on.
    package let tokenCount: Int
    /// The corpus they belong to; nil if unknown.
    package let corpusID: Int64?

    /// Describes a figure; values that are not finite become nil.
    package init(
        runID: Int64, dictionaryID: Int64, metric: String, layer: Int? = nil, value: Double?, low: Double? = nil,
        high: Double? = nil, tokenCount: Int, corpusID: Int64? = nil
    ) {
        self.runID = runID
        self.dictionaryID = dictionaryID
        self.metric = metric
        self.layer = layer
        self.value = value.flatMap { $0.isFinite ? $0 : nil }
        self.low = low.flatMap { $0.isFinite ? $0 : nil }
        self.high = high.flatMap { $0.isFinite ? $0 : nil }
        self.tokenCount = tokenCount
        self.corpusID = corpusID
    }
}
