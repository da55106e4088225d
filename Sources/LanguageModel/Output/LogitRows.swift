/// The tokens of a batch whose next-token logits are wanted.
package enum LogitRows: Sendable, Equatable {
    /// All tokens, in the order of the batch.
    case all
    /// The last token of each sequence.
    case lastOfEachSequence

    /// The positions of the tokens in the batch.
    func places(in batch: TokenBatch) -> [Int] {
        switch self {
        case .all: Array(batch.tokens.indices)
        case .lastOfEachSequence: (0..<batch.sequenceCount).map { batch.range(ofSequence: $0).upperBound - 1 }
        }
    }
}
