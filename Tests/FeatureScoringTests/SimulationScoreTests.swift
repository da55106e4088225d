import FeatureScoring
import RandomNumbers
import Testing
import Vocabulary

struct SimulationScoreTests {
    private func context(_ predicted: [Float], _ actual: [Float], _ band: ContextBand = .top) -> SimulatedContext {
        SimulatedContext(band: band, predicted: predicted, actual: actual)
    }

    /// Pearson's coefficient by the textbook's one-pass sums.
    private func naive(_ xs: [Float], _ ys: [Float]) -> Double {
        let n = Double(xs.count)
        let (x, y) = (xs.map(Double.init), ys.map(Double.init))
        let (sx, sy) = (x.reduce(0, +), y.reduce(0, +))
        let sxy = zip(x, y).reduce(0) { $0 + $1.0 * $1.1 }
        let sxx = x.reduce(0) { $0 + $1 * $1 }
        let syy = y.reduce(0) { $0 + $1 * $1 }
        return (n * sxy - sx * sy) / ((n * sxx - sx * sx) * (n * syy - sy * sy)).squareRoot()
    }

    @Test func correlationIsOverAllTokensTogether() throws {
        var generator = SplitMix64(seed: 31)
        for _ in 0..<100 {
            let contexts = (0..<(1 + generator.next(below: 6))).map { index in
                let count = 6 + generator.next(below: 9)
                let actual = (0..<count).map { _ in Float(generator.next(below: 100)) / 8 }
                let predicted = actual.map { $0 / 2 + Float(generator.next(below: 50)) / 8 }
                return context(predicted, actual, ContextBand.allCases[index % 3])
            }

            let score = try SimulationScore(of: contexts, maximum: 12)
            let all = naive(contexts.flatMap(\.predicted), contexts.flatMap(\.actual))
            #expect(abs(try #require(score.value) - all) < 1e-12)
            let top = contexts.filter { $0.band == .top }
            #expect(abs(try #require(score.top.value) - naive(top.flatMap(\.predicted), top.flatMap(\.actual))) < 1e-12)
            #expect(score.tokenCount == contexts.reduce(0) { $0 + $1.actual.count })
            #expect(score.contextCount == contexts.count)
            #expect(score.top.contextCount + score.random.contextCount == contexts.count)
        }
    }

    @Test("The score is not the mean over contexts") func itIsNotTheMeanOfContexts() throws {
        // Each context correlates perfectly, but the predicted levels are exchanged between them.
        let contexts = [context([0, 1], [10, 11]), context([10, 11], [0, 1])]
        #expect(try #require(SimulationScore(of: contexts, maximum: 11).value) < -0.9)
    }

    @Test("Large means do not cancel") func largeMeansDoNotCancel() throws {
        // One-pass sums in single precision would see no variance at all.
        let actual = (0..<100).map { 1_000_000 + Float($0 % 2) }
        let score = try SimulationScore(of: [context(actual.map { $0 * 2 }, actual)], maximum: 1)
        #expect(abs(try #require(score.value) - 1) < 1e-9)
        let tiny = (0..<10).map { Float.leastNonzeroMagnitude * Float($0) }
        #expect(abs(try #require(SimulationScore(of: [context(tiny, tiny)], maximum: 1).value) - 1) < 1e-9)
    }

    @Test func withoutVarianceItIsUndefinedAndSaysWhy() throws {
        let truth = try SimulationScore(of: [context([0, 1, 2], [0.1, 0.1, 0.1])], maximum: 1)
        #expect(truth.status == .undefined(.constantTruth))
        #expect(truth.value == nil && truth.rSquared == nil)
        let prediction = try SimulationScore(of: [context([0.1, 0.1, 0.1], [0, 1, 2])], maximum: 2)
        #expect(prediction.status == .undefined(.constantPrediction))
        #expect(try #require(prediction.rSquared) < 0)
        let both = try SimulationScore(of: [context([1, 1], [0, 0])], maximum: 1)
        #expect(both.status == .undefined(.constantTruth))
        for contexts in [[], [context([], [])]] {
            let nothing = try SimulationScore(of: contexts, maximum: 1)
            #expect(nothing.status == .undefined(.noTokens))
            #expect(nothing.f1 == nil && nothing.precision == nil && nothing.recall == nil && nothing.rSquared == nil)
        }
        #expect(try SimulationScore(of: [context([1], [1])], maximum: 1).status == .undefined(.constantTruth))
        let topOnly = try SimulationScore(of: [context([0, 1], [0, 1])], maximum: 1)
        #expect(topOnly.random.status == .undefined(.noTokens))
        #expect(UndefinedReason.constantTruth.description == "the feature has no variance in the scored contexts")
    }

    @Test func rSquaredIsTheCoefficientOfDetermination() throws {
        // Residuals 0, 1, −1, 0; deviations from the mean 1.5 are −1.5, −0.5, 0.5, 1.5.
        let score = try SimulationScore(of: [context([0, 0, 3, 3], [0, 1, 2, 3])], maximum: 3)
        #expect(abs(try #require(score.rSquared) - (1 - 2.0 / 5)) < 1e-15)
    }

    @Test func precisionAndRecallAreAtHalfTheMaximum() throws {
        // At 5 or more: predicted at 0, 1, 3; actual at 1, 2, 3, 4.
        let score = try SimulationScore(of: [context([9, 5, 4.9, 7, 0, 0], [0, 5, 6, 10, 8, 4.9])], maximum: 10)
        #expect(score.precision == 2.0 / 3)
        #expect(score.recall == 0.5)
        #expect(abs(try #require(score.f1) - 4.0 / 7) < 1e-15)
        let silent = try SimulationScore(of: [context([0, 0], [0, 10])], maximum: 10)
        #expect(silent.precision == nil)
        #expect(silent.recall == 0)
        #expect(silent.f1 == 0)
        #expect(try SimulationScore(of: [context([0, 1], [0, 1])], maximum: 0).f1 == nil)
    }

    @Test func malformedInputsAreNamed() {
        #expect(throws: ScoringError.lengthMismatch(position: 1, predicted: 1, actual: 2)) {
            try SimulationScore(of: [context([], []), context([1], [1, 2])], maximum: 1)
        }
        #expect(throws: ScoringError.notFinite(position: 0, token: 1)) {
            try SimulationScore(of: [context([0, .nan], [0, 1])], maximum: 1)
        }
        #expect(throws: ScoringError.notFinite(position: 0, token: 0)) {
            try SimulationScore(of: [context([0], [.infinity])], maximum: 1)
        }
    }
}
