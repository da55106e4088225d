package import Tokenization

/// Sequences of tokens that go through the model together, concatenated without padding.
///
/// Each sequence is attended to by itself and its positions start at 0.
package struct TokenBatch: Sendable, Equatable {
    /// The tokens of all sequences.
    package let tokens: [TokenID]
    /// Where each sequence begins in `tokens`, and at the end the number of tokens: one more than there are sequences,
    /// rising from 0.
    package let sequenceOffsets: [Int]

    /// The number of sequences.
    package var sequenceCount: Int { sequenceOffsets.count - 1 }

    /// Concatenates sequences.
    ///
    /// - Throws: `.emptySequence`, `.malformedBatch` if there is no sequence.
    package init(sequences: [[TokenID]]) throws(LanguageModelError) {
        var offsets = [0]
        offsets.reserveCapacity(sequences.count + 1)
        var end = 0
        for sequence in sequences {
            end += sequence.count
            offsets.append(end)
        }
        try self.init(tokens: Array(sequences.joined()), sequenceOffsets: offsets)
    }

    /// Makes a batch of concatenated tokens.
    ///
    /// - Throws: `.emptySequence`, `.malformedBatch` if the offsets do not rise from 0 to the number of tokens or there is
    ///   no sequence.
    package init(tokens: [TokenID], sequenceOffsets: [Int]) throws(LanguageModelError) {
        guard sequenceOffsets.count > 1 else { throw .malformedBatch(reason: "it has no sequence") }
        guard sequenceOffsets.first == 0, sequenceOffsets.last == tokens.count else {
            throw .malformedBatch(
                reason: "its offsets go from \(sequenceOffsets[0]) to \(sequenceOffsets[sequenceOffsets.count - 1]), "
                    + "expected 0 to \(tokens.count)")
        }
        for index in 1..<sequenceOffsets.count {
            let (begin, end) = (sequenceOffsets[index - 1], sequenceOffsets[index])
            if end == begin { throw .emptySequence(index: index - 1) }
            guard end > begin else { throw .malformedBatch(reason: "its offsets fall from \(begin) to \(end)") }
        }
        self.tokens = tokens
        self.sequenceOffsets = sequenceOffsets
    }

    /// The range of a sequence in `tokens`.
    package func range(ofSequence index: Int) -> Range<Int> {
        sequenceOffsets[index]..<sequenceOffsets[index + 1]
    }

    /// The number of tokens of the longest sequence.
    package var longestSequence: Int {
        (0..<sequenceCount).reduce(0) { max($0, range(ofSequence: $1).count) }
    }

    /// Checks that a model can take the batch.
    func check(against configuration: LanguageModelConfiguration) throws(LanguageModelError) {
        for index in 0..<sequenceCount where range(ofSequence: index).count > configuration.maximumPositions {
            throw .sequenceTooLong(
                index: index, length: range(ofSequence: index).count, maximum: configuration.maximumPositions)
        }
        for (position, token) in tokens.enumerated() where token < 0 || Int(token) >= configuration.vocabularySize {
            throw .tokenOutOfRange(token: token, position: position, vocabularySize: configuration.vocabularySize)
        }
    }
}
