import FeatureScoring
import Testing

struct ChanceBaselineTests {
    @Test func percentilesAreInterpolated() {
        let chance = ChanceBaseline(scores: [0.3, nil, 0.1, 0.2, 0.0, 0.4, nil])
        #expect(chance.scores == [0, 0.1, 0.2, 0.3, 0.4])
        #expect(chance.undefinedCount == 2)
        #expect(chance.percentile(0) == 0)
        #expect(chance.percentile(1) == 0.4)
        #expect(chance.percentile(0.5) == 0.2)
        // NumPy: percentile([0, .1, .2, .3, .4], 95) = 0.38.
        #expect(abs((chance.percentile() ?? 0) - 0.38) < 1e-12)
        #expect(chance.isExceeded(by: 0.381) == true)
        #expect(chance.isExceeded(by: 0.379) == false)
        #expect(chance.isExceeded(by: nil) == nil)
    }

    @Test("Without baseline scores there is no threshold") func withoutScoresThereIsNoLimit() {
        let chance = ChanceBaseline(scores: [nil])
        #expect(chance.percentile() == nil)
        #expect(chance.isExceeded(by: 1) == nil)
        #expect(ChanceBaseline(scores: [0.5]).percentile(0.3) == 0.5)
    }

    @Test("p-values count baseline scores at or above the score") func pValuesCountWhatIsReached() {
        let chance = ChanceBaseline(scores: [0.1, 0.2, 0.3])
        #expect(chance.pValue(of: 0.2) == 0.75)
        #expect(chance.pValue(of: 1) == 0.25)
        #expect(ChanceBaseline(scores: []).pValue(of: 1) == 1)
    }

    @Test("No feature is scored with its own explanation") func nobodyIsScoredWithItsOwnExplanation() throws {
        let donors = try #require(ChanceBaseline.donors(featureCount: 100, seed: 9))
        #expect(donors.indices.allSatisfy { donors[$0] != $0 })
        #expect(ChanceBaseline.donors(featureCount: 1, seed: 9) == nil)
    }

    @Test("Separation is the area under the ROC curve") func separationIsTheAreaUnderTheCurve() {
        let chance = ChanceBaseline(scores: [0, 0.1, 0.1, nil, 0.5])
        #expect(chance.separation(from: [0.6, 0.7]) == 1)
        #expect(chance.separation(from: [-1]) == 0)
        #expect(chance.separation(from: []) == nil && ChanceBaseline(scores: [nil]).separation(from: [1]) == nil)
        // Against counting pairs.
        let others = [0.1, 0.05, 0.5, 0.9, 0.1]
        var won = 0.0
        for other in others { for score in chance.scores { won += other > score ? 1 : other == score ? 0.5 : 0 } }
        #expect(chance.separation(from: others) == won / 20)
    }
}
