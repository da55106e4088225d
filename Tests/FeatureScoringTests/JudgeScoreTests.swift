import FeatureScoring
import Foundation
import Testing
import Vocabulary

@Suite struct JudgeScoreTests {
    @Test("Balanced accuracy is the mean of both rates") func balancedAccuracyIsTheMeanOfBothShares() {
        let truths = [true, true, true, true, false, false]
        let score = DecisionScore(decisions: [true, true, true, false, true, false], truths: truths)
        #expect(score.balancedAccuracy == (0.75 + 0.5) / 2)
        #expect(score.precision == 0.75 && score.recall == 0.75 && score.f1 == 0.75 && score.count == 6)
        // Whoever says no to everything is at chance, however many texts are silent.
        let no = DecisionScore(
            decisions: Array(repeating: false, count: 10), truths: [true] + Array(repeating: false, count: 9))
        #expect(no.balancedAccuracy == 0.5 && no.precision == nil)
        #expect(DecisionScore(decisions: [true], truths: [true]).balancedAccuracy == nil)
    }

    private func excerpt(_ activations: [Float]) -> JudgedExcerpt {
        JudgedExcerpt(
            tokens: activations.indices.map { " t\($0)" }, activations: activations, peakIndex: 0, band: .top)
    }

    @Test func halfOfTheMarksAreWrong() {
        let excerpts = (0..<20).map { place in excerpt((0..<12).map { $0 == place % 12 || $0 == 3 ? 1 : 0 }) }
        let cases = FuzzedExcerpts.cases(of: excerpts + [excerpt([0, 0])], seed: 5)
        #expect(cases.count == 20 && cases.filter(\.isCorrect).count == 10)
        for one in cases {
            let active = Set(one.excerpt.activations.indices.filter { one.excerpt.activations[$0] > 0 })
            #expect(one.marked.count == active.count)
            #expect(one.isCorrect ? one.marked == active : one.marked.isDisjoint(with: active))
        }
        #expect(cases == FuzzedExcerpts.cases(of: excerpts + [excerpt([0, 0])], seed: 5))
        #expect(cases != FuzzedExcerpts.cases(of: excerpts + [excerpt([0, 0])], seed: 6))
        // Nowhere to put a wrong mark.
        let full = FuzzedExcerpts.cases(of: [excerpt([1, 1]), excerpt([1, 2])], seed: 0)
        #expect(full.map(\.isCorrect) == [true, true])
    }

    private func token(_ text: String, _ alternatives: [(String, Double)] = []) -> ExpectedLevels.Token {
        .init(text: text, alternatives: alternatives.map { (text: $0.0, logProbability: log($0.1)) })
    }

    @Test("Expected levels weigh the alternative answers by probability")
    func expectedLevelsWeighWhatMightHaveBeenSaid() {
        let content = #"{"activations": [3, 10, 7]}"#
        let tokens = [
            token(#"{"activations": ["#), token("3", [("3", 0.5), ("5", 0.25), ("x", 0.25)]), token(","),
            token(" "), token("10", [("10", 0.9), ("0", 0.1)]), token(","), token(" 7", [(" 7", 1)]), token("]}"),
        ]
        let levels = ExpectedLevels.of([3, 10, 7], in: content, tokens: tokens)
        #expect(abs(levels[0] - Float(0.5 * 3 + 0.25 * 5) / 0.75) < 1e-6)
        #expect(abs(levels[1] - 9) < 1e-6 && levels[2] == 7)
    }

    @Test func whatCannotBePlacedStaysAsAnswered() {
        let content = #"{"activations":[1,10]}"#
        // A ten of two tokens, tokens that spell something else, alternatives that are no levels.
        let split = [
            token(#"{"activations":["#), token("1", [("2", 1)]), token(",1", [("0", 1)]), token("0"), token("]}"),
        ]
        #expect(ExpectedLevels.of([1, 10], in: content, tokens: split) == [2, 10])
        #expect(ExpectedLevels.of([1, 10], in: content, tokens: [token("other")]) == [1, 10])
        #expect(ExpectedLevels.of([1, 10], in: content, tokens: []) == [1, 10])
        let odd = [token(#"{"activations":["#), token("1", [("11", 0.5), ("-1", 0.5)]), token(",10]}")]
        #expect(ExpectedLevels.of([1, 10], in: content, tokens: odd) == [1, 10])
    }
}
