import FeatureScoring
import RandomNumbers
import Synchronization
import Vocabulary

/// A made-up model: features that fire by known rules on sequences of small token ids.
struct PlantedWorld: ActivationProbe {
    /// The token that no rule mentions.
    static let pad: Int32 = 0
    static let vocabulary = 40

    /// The activation at the last of some tokens, for every feature.
    let rules: [([Int32]) -> Float]
    private let counter = Counter()

    /// How much was asked.
    final class Counter: Sendable {
        let calls = Mutex(0)
        let requests = Mutex<[ProbeRequest]>([])
    }

    init(rules: [([Int32]) -> Float]) {
        self.rules = rules
    }

    var callCount: Int { counter.calls.withLock { $0 } }
    var requests: [ProbeRequest] { counter.requests.withLock { $0 } }

    func activations(of requests: [ProbeRequest]) throws -> [Float] {
        counter.calls.withLock { $0 += 1 }
        counter.requests.withLock { $0 += requests }
        return requests.map { rules[$0.featureIndex]($0.tokens) }
    }

    /// The feature's activation at every token of a sequence.
    func truth(feature: Int, tokens: [Int32]) -> [Float] {
        tokens.indices.map { rules[feature](Array(tokens[...$0])) }
    }

    /// Contexts of 24 random tokens with `plants` written into most of them, alternating between the splits; every
    /// third is quiet.
    func contexts(
        feature: Int,
        count: Int,
        plants: [[Int32]],
        distractions: [[Int32]] = [],
        using generator: inout SplitMix64
    ) throws -> [ScoringContext] {
        try (0..<count).map { index in
            var tokens = (0..<24).map { _ in Int32(generator.next(below: Self.vocabulary - 1) + 1) }
            let band: ContextBand = index % 6 < 2 ? .top : index % 6 < 4 ? .sample : .quiet
            func write(_ plant: [Int32], at place: Int) {
                tokens.replaceSubrange(place..<place + plant.count, with: plant)
            }
            if !distractions.isEmpty { write(distractions[generator.next(below: distractions.count)], at: 2) }
            if band != .quiet { write(plants[index / 6 % plants.count], at: 8 + generator.next(below: 12)) }
            let activations = truth(feature: feature, tokens: tokens)
            let peak = activations.indices.max { activations[$0] < activations[$1] } ?? 0
            return try ScoringContext(
                contextID: Int64(index),
                tokens: tokens,
                activations: activations,
                peakIndex: peak,
                band: band,
                split: index.isMultiple(of: 2) ? .explain : .score
            )
        }
    }
}

/// A rule for a token right after another.
func firesOn(_ last: Int32, after previous: Int32, activation: Float = 2) -> ([Int32]) -> Float {
    { $0.count > 1 && $0[$0.count - 1] == last && $0[$0.count - 2] == previous ? activation : 0 }
}
