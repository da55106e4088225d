import FeatureCatalog

/// A figure of a dictionary, before it has a run.
package struct MeasuredFigure: Equatable {
    /// Its name in the catalog.
    package let metric: String
    /// The layer; nil for all together.
    package let layer: Int?
    /// The figure; nil where it is undefined.
    package let value: Double?
    /// The lower end of the 95 % interval; nil where there is none.
    package let low: Double?
    /// The upper end.
    package let high: Double?
    /// Tokens that it rests on.
    package let tokens: Int

    init(_ metric: String, layer: Int? = nil, _ value: Double?, _ interval: ResampledInterval? = nil, tokens: Int) {
        (self.metric, self.layer, self.value, self.tokens) = (metric, layer, value, tokens)
        (low, high) = (interval?.low, interval?.high)
    }

    /// Its row in the catalog.
    func record(runID: Int64, dictionaryID: Int64, corpusID: Int64?) -> EvaluationRecord {
        EvaluationRecord(
            runID: runID, dictionaryID: dictionaryID, metric: metric, layer: layer, value: value, low: low, high: high,
            tokenCount: tokens, corpusID: corpusID)
    }
}
