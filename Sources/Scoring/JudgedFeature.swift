import FeatureCatalog
import FeatureScoring
import RandomNumbers
import Vocabulary

/// A feature as shown to a language model: its excerpts, divided by split.
struct JudgedFeature {
    let featureIndex: Int
    /// Explain contexts in which it fires, strongest first.
    let explained: [JudgedExcerpt]
    /// Score contexts in an order drawn by the seed, which reveals nothing about them.
    let held: [JudgedExcerpt]
    /// The largest activation in any of its contexts.
    let maximum: Float
    /// The texts of the fuzzing test.
    let fuzzed: [FuzzedExcerpts.Case]

    init(_ feature: FeatureContexts, excerpts: Int, seed: UInt64, text: (Int32) -> String) {
        func excerpt(_ context: ScoringContext) -> JudgedExcerpt {
            JudgedExcerpt(
                tokens: context.tokens.map(text), activations: context.activations, peakIndex: context.peakIndex,
                band: context.band)
        }
        featureIndex = feature.featureIndex
        let seed = SplitMix64.hash(seed: seed, UInt64(bitPattern: Int64(feature.featureIndex)), 0, 0)
        let firing = feature.contexts.filter { $0.split == .explain && $0.peakActivation > 0 }
        explained = firing.enumerated().sorted {
            $0.element.peakActivation != $1.element.peakActivation
                ? $0.element.peakActivation > $1.element.peakActivation : $0.offset < $1.offset
        }.prefix(excerpts).map { excerpt($0.element) }
        let scored = feature.contexts.filter { $0.split == .score }
        held = SeededPermutation.permutation(count: scored.count, seed: seed).map { excerpt(scored[$0]) }
        maximum = feature.contexts.map { $0.activations.max() ?? 0 }.max() ?? 0
        fuzzed = FuzzedExcerpts.cases(of: held, seed: seed &+ 1)
    }

    /// The questions of a test; none if no answer could be informative.
    func questions(_ test: JudgePrompt, explanation: String) throws -> [JudgeQuestion] {
        switch test {
        case .explanation: [try .explanation(of: explained, maximum: maximum)]
        case .rubric: [try .rubric(of: explained, maximum: maximum)]
        case .simulation: try held.map { try .simulation(of: $0, explanation: explanation) }
        case .detection:
            Self.areMixed(held.map(\.fires)) ? [try .detection(of: held, explanation: explanation)] : []
        case .fuzzing:
            Self.areMixed(fuzzed.map(\.isCorrect))
                ? [try .fuzzing(of: fuzzed.map { ($0.excerpt, $0.marked) }, explanation: explanation)] : []
        }
    }

    /// Whether both true and false cases exist; otherwise the test is skipped.
    private static func areMixed(_ truths: [Bool]) -> Bool { truths.contains(true) && truths.contains(false) }

    /// Contexts and tokens that a test rests on.
    func size(of test: JudgePrompt) -> (contexts: Int, tokens: Int) {
        let excerpts =
            switch test {
            case .explanation, .rubric: explained
            case .simulation, .detection: held
            case .fuzzing: fuzzed.map(\.excerpt)
            }
        return (excerpts.count, excerpts.reduce(0) { $0 + $1.tokens.count })
    }
}
