import Glibc

/// The logarithms of next-token probabilities, in nats.
struct LogProbabilities {
    /// For every token of the vocabulary.
    let values: [Double]

    /// Takes the softmax of logits.
    init(logits: [Float]) {
        let top = Double(logits.max() ?? 0)
        let normaliser = top + log(logits.reduce(0.0) { $0 + exp(Double($1) - top) })
        values = logits.map { Double($0) - normaliser }
    }

    /// KL divergence to another distribution, in nats: Σ p (log p − log q), the sum being over this one's p.
    func divergence(to other: LogProbabilities) -> Double {
        // Equal distributions give exactly 0; round-off is never reported as negative.
        max(0, zip(values, other.values).reduce(0.0) { $0 + exp($1.0) * ($1.0 - $1.1) })
    }

    /// The mean over some tokens.
    func mean(of tokens: [Int]) -> Double {
        tokens.reduce(0.0) { $0 + values[$1] } / Double(max(tokens.count, 1))
    }
}
