import Steering
import Testing

@Suite struct TokenChoiceTests {
    private func choice(_ temperature: Double?, topP: Double = 1, vocabulary: Int = 100, seed: UInt64 = 1)
        -> TokenChoice
    {
        TokenChoice(temperature: temperature, topP: topP, vocabularySize: vocabulary, seed: seed)
    }

    @Test("The most likely token is chosen; ties go to the first") func theLikeliestAndOfEqualsTheFirst() {
        #expect(choice(nil).token(from: [1, 3, 2, 3], step: 9) == 1)
        #expect(choice(nil, vocabulary: 1).token(from: [1, 3], step: 0) == 0)
    }

    /// Shares of 20 000 draws, one a step.
    private func shares(_ choice: TokenChoice, _ logits: [Float]) -> [Double] {
        var counts = [Double](repeating: 0, count: logits.count)
        for step in 0..<20_000 { counts[Int(choice.token(from: logits, step: step))] += 1 / 20_000 }
        return counts
    }

    private func softmax(_ logits: [Double]) -> [Double] {
        let weights = logits.map { $0.exponential }
        return weights.map { $0 / weights.reduce(0, +) }
    }

    @Test(arguments: [0.5, 1, 2]) func drawsFollowTheProbabilities(temperature: Double) {
        let logits: [Float] = [0.5, -1, 2, 1]
        let expected = softmax(logits.map { Double($0) / temperature })
        for (share, probability) in zip(shares(choice(temperature), logits), expected) {
            #expect(abs(share - probability) < 0.015)
        }
    }

    @Test("With `--top-p` only the likeliest tokens are drawn") func onlyTheLikeliestAreDrawn() {
        // Probabilities 0.64, 0.24, 0.09, 0.03.
        let logits: [Float] = [2, 1, 3, 0]
        let two = shares(choice(1, topP: 0.7), logits)
        #expect(two[1] == 0 && two[3] == 0 && abs(two[2] - 0.731) < 0.015)
        let one = shares(choice(1, topP: 1e-9), logits)
        #expect(one[2] > 0.9999)
    }

    @Test func aDrawDependsOnSeedAndStepAlone() {
        let logits: [Float] = (0..<50).map { Float($0 % 7) }
        func draws(_ seed: UInt64) -> [Int32] {
            (0..<40).map { choice(1.5, seed: seed).token(from: logits, step: $0) }
        }
        #expect(draws(1) == draws(1))
        #expect(draws(1) != draws(2))
        #expect(Set(draws(1)).count > 5)
    }
}

extension Double {
    /// eˣ by its series, so that the expectation rests on no library function.
    fileprivate var exponential: Double {
        var (term, sum) = (1.0, 1.0)
        for n in 1..<60 {
            term *= self / Double(n)
            sum += term
        }
        return sum
    }
}
