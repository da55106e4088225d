/// Pearson's correlation of predictions with truths, or the reason why it is undefined.
package struct Correlation: Hashable, Sendable {
    /// The coefficient, −1…1; `nil` where it is undefined.
    package let value: Double?
    /// Whether there is a coefficient.
    package let status: ScoreStatus
    /// The number of tokens it is over.
    package let tokenCount: Int
    /// The number of contexts those tokens are in.
    package let contextCount: Int

    /// Correlates over all tokens of all contexts together.
    ///
    /// Two passes in double precision in the order given: first the means, then the centred products, so that large
    /// means do not cancel. A side is constant if its smallest and largest values are equal, not if a rounded variance
    /// happens to be 0; when both are constant, the truth is named.
    init(_ contexts: [SimulatedContext]) {
        tokenCount = contexts.reduce(0) { $0 + $1.actual.count }
        contextCount = contexts.count
        (value, status) = Self.evaluate(contexts, tokenCount)
    }

    /// The predictions or the truths.
    typealias Side = KeyPath<SimulatedContext, [Float]>

    private static func evaluate(_ contexts: [SimulatedContext], _ tokenCount: Int) -> (Double?, ScoreStatus) {
        guard tokenCount > 0 else { return (nil, .undefined(.noTokens)) }
        if isConstant(contexts, \.actual) { return (nil, .undefined(.constantTruth)) }
        if isConstant(contexts, \.predicted) { return (nil, .undefined(.constantPrediction)) }
        let predictedMean = mean(contexts, \.predicted, tokenCount)
        let actualMean = mean(contexts, \.actual, tokenCount)
        var (covariance, predictedVariance, actualVariance) = (0.0, 0.0, 0.0)
        for context in contexts {
            for (predicted, actual) in zip(context.predicted, context.actual) {
                let x = Double(predicted) - predictedMean
                let y = Double(actual) - actualMean
                covariance += x * y
                predictedVariance += x * x
                actualVariance += y * y
            }
        }
        // Roots before the product: the product of two tiny variances may underflow.
        let value = covariance / (predictedVariance.squareRoot() * actualVariance.squareRoot())
        return (min(1, max(-1, value)), .ok)
    }

    /// The mean over all tokens of all contexts.
    static func mean(_ contexts: [SimulatedContext], _ side: Side, _ tokenCount: Int) -> Double {
        let sum = contexts.reduce(0.0) { sum, context in context[keyPath: side].reduce(sum) { $0 + Double($1) } }
        return sum / Double(tokenCount)
    }

    private static func isConstant(_ contexts: [SimulatedContext], _ side: Side) -> Bool {
        guard let first = contexts.lazy.compactMap({ $0[keyPath: side].first }).first else { return true }
        return contexts.allSatisfy { $0[keyPath: side].allSatisfy { $0 == first } }
    }
}
