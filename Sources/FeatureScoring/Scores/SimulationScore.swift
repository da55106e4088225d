package import Vocabulary

/// A context with predicted and true activations.
package struct SimulatedContext: Hashable, Sendable {
    /// The band it was chosen for.
    package let band: ContextBand
    /// The predicted activation of every token.
    package let predicted: [Float]
    /// The true activation of every token.
    package let actual: [Float]

    /// Pairs predictions with truths; they are checked when scored.
    package init(band: ContextBand, predicted: [Float], actual: [Float]) {
        self.band = band
        self.predicted = predicted
        self.actual = actual
    }
}

/// The accuracy of an explanation's predictions on contexts it was not written from.
///
/// Bills et al. 2023, *Language models can explain neurons in language models* (`openai/automated-interpretability`):
/// the `ev_correlation` over all tokens of all contexts together, never a mean of correlations of single contexts.
package struct SimulationScore: Hashable, Sendable {
    /// The score: the correlation over all contexts.
    package let joint: Correlation
    /// The correlation over the contexts of the band `top`.
    package let top: Correlation
    /// The correlation over the contexts of the bands `sample` and `quiet`: random firing and non-activating contexts.
    package let random: Correlation
    /// The coefficient of determination, 1 − Σ(y − ŷ)² / Σ(y − ȳ)² over all tokens, y the truth and ŷ the prediction,
    /// uncalibrated: 1 at best, 0 for predicting the mean, below 0 for worse. `nil` if y is constant.
    package let rSquared: Double?
    /// Of the tokens predicted at half the feature's maximum or more, the fraction that are; `nil` if there are none.
    package let precision: Double?
    /// Of the tokens at half the feature's maximum or more, the fraction predicted so; `nil` if there are none.
    package let recall: Double?
    /// The harmonic mean of precision and recall, 2·TP / (2·TP + FP + FN); `nil` if there are none of the three.
    package let f1: Double?

    /// The score's value, `nil` where it is undefined.
    package var value: Double? { joint.value }
    /// Whether the score has a value, or why not.
    package var status: ScoreStatus { joint.status }
    /// The number of tokens scored.
    package var tokenCount: Int { joint.tokenCount }
    /// The number of contexts scored.
    package var contextCount: Int { joint.contextCount }

    /// Scores predictions.
    ///
    /// - Parameters:
    ///   - contexts: the feature's score contexts.
    ///   - maximum: the feature's largest activation anywhere; precision, recall and F1 are `nil` unless it is above 0.
    /// - Throws: `ScoringError.lengthMismatch` and `ScoringError.notFinite`.
    package init(of contexts: [SimulatedContext], maximum: Float) throws {
        for (position, context) in contexts.enumerated() {
            guard context.predicted.count == context.actual.count else {
                throw ScoringError.lengthMismatch(
                    position: position, predicted: context.predicted.count, actual: context.actual.count)
            }
            for token in context.actual.indices
            where !(context.actual[token].isFinite && context.predicted[token].isFinite) {
                throw ScoringError.notFinite(position: position, token: token)
            }
        }
        joint = Correlation(contexts)
        top = Correlation(contexts.filter { $0.band == .top })
        random = Correlation(contexts.filter { $0.band != .top })
        rSquared =
            joint.status == .ok || joint.status == .undefined(.constantPrediction)
            ? Self.rSquared(contexts, joint.tokenCount) : nil
        (precision, recall, f1) = Self.classification(contexts, threshold: maximum / 2)
    }

    private static func rSquared(_ contexts: [SimulatedContext], _ tokenCount: Int) -> Double {
        let mean = Correlation.mean(contexts, \.actual, tokenCount)
        var (residual, total) = (0.0, 0.0)
        for context in contexts {
            for (predicted, actual) in zip(context.predicted, context.actual) {
                let error = Double(actual) - Double(predicted)
                let deviation = Double(actual) - mean
                residual += error * error
                total += deviation * deviation
            }
        }
        return 1 - residual / total
    }

    private static func classification(
        _ contexts: [SimulatedContext],
        threshold: Float
    ) -> (precision: Double?, recall: Double?, f1: Double?) {
        guard threshold > 0 else { return (nil, nil, nil) }
        var (both, onlyPredicted, onlyActual) = (0, 0, 0)
        for context in contexts {
            for (predicted, actual) in zip(context.predicted, context.actual) {
                switch (predicted >= threshold, actual >= threshold) {
                case (true, true): both += 1
                case (true, false): onlyPredicted += 1
                case (false, true): onlyActual += 1
                case (false, false): break
                }
            }
        }

        func share(_ part: Int, _ whole: Int) -> Double? { whole == 0 ? nil : Double(part) / Double(whole) }
        return (
            share(both, both + onlyPredicted), share(both, both + onlyActual),
            share(2 * both, 2 * both + onlyPredicted + onlyActual)
        )
    }
}
