import Glibc
import LinearAlgebra
package import Tokenization

/// Chooses the next token from logits: the most likely, or one drawn by a seed.
///
/// The draw of a step depends only on the seed and the step, so equal logits give equal texts, and a
/// steered text differs from the unsteered one only by the edits.
package struct TokenChoice: Sendable {
    /// Divides the logits; nil takes the most likely token, ties by the lowest id.
    package let temperature: Double?
    /// Tokens are drawn among the most likely that together have this probability (nucleus sampling).
    package let topP: Double
    /// Token ids from here on only pad the model's vocabulary.
    package let vocabularySize: Int
    private let draws: CounterGenerator

    package init(temperature: Double?, topP: Double, vocabularySize: Int, seed: UInt64) {
        self.temperature = temperature
        self.topP = topP
        self.vocabularySize = vocabularySize
        draws = CounterGenerator(seed: seed, stream: "next token")
    }

    /// The token of a step.
    package func token(from logits: [Float], step: Int) -> TokenID {
        let logits = logits[..<min(vocabularySize, logits.count)]
        guard let temperature else {
            var best = 0
            for token in logits.indices where logits[token] > logits[best] { best = token }
            return TokenID(best)
        }

        let top = logits.max() ?? 0
        var likely = logits.indices.map { (token: $0, weight: exp(Double(logits[$0] - top) / temperature)) }
        likely.sort { ($0.weight, $1.token) > ($1.weight, $0.token) }
        var total = likely.reduce(0) { $0 + $1.weight }
        if topP < 1 {
            let enough = topP * total
            var sum = 0.0
            let end = likely.firstIndex {
                sum += $0.weight
                return sum >= enough
            }
            likely.removeSubrange((end ?? likely.count - 1) + 1..<likely.count)
            total = likely.reduce(0) { $0 + $1.weight }
        }

        var generator = draws.entered(at: UInt64(step))
        // 53 bits: the finest step of a number below 1.
        var left = Double(generator.next() >> 11) * 0x1p-53 * total
        for (token, weight) in likely {
            left -= weight
            if left < 0 { return TokenID(token) }
        }
        return TokenID(likely[likely.count - 1].token)
    }
}
