/// A figure about a dictionary (table `evaluation`).
public struct EvaluationRecord: Equatable, Sendable {
    /// The run that measured it.
    public let runID: Int64
    /// The dictionary.
    public let dictionaryID: Int64
    /// What was measured, such as `norm_mse`, `explained_variance`, `kl`, `delta_ce`, `recovered`.
    public let metric: String
    /// The decoder layer; nil for all layers together.
    public let layer: Int?
    /// The figure; nil where it is undefined.
    public let value: Double?
    /// Lower end of the 95 % interval.
    public let low: Double?
    /// Upper end of the 95 % interval.
    public let high: Double?
    /// Tokens it rests on.
    public let tokenCount: Int
    /// The corpus they are of; nil where that is not known.
    public let corpusID: Int64?

    /// Describes a figure; values that are not finite become nil.
    public init(
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
