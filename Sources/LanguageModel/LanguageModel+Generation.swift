import LinearAlgebra
public import Tokenization

extension LanguageModel {
    /// Continues a prompt with the likeliest token at each step; of equal logits the lowest id wins.
    ///
    /// The whole sequence is computed anew for every token, so an edit sees all its positions each time.
    ///
    /// - Parameters:
    ///   - prompt: the tokens to continue; not empty.
    ///   - count: how many tokens to add at most. It ends earlier where the model takes no longer sequence.
    ///   - stopTokens: ends when one of these has been added, e.g. `configuration.endOfSequence`.
    ///   - editing: called after every layer of every step.
    /// - Returns: the added tokens.
    /// - Throws: as `logits(of:rows:editing:)`; `.emptySequence`.
    public func greedy(
        prompt: [TokenID], count: Int, stopTokens: Set<TokenID> = [], editing: ResidualEdit? = nil
    ) throws -> [TokenID] {
        var tokens = prompt
        while tokens.count - prompt.count < count, tokens.count <= configuration.maximumPositions {
            let batch = try TokenBatch(sequences: [tokens])
            let logits = try logits(of: batch, rows: .lastOfEachSequence, editing: editing)
            var best = 0
            for token in 1..<max(configuration.vocabularySize, 1) where logits[0, token] > logits[0, best] {
                best = token
            }
            tokens.append(TokenID(best))
            if stopTokens.contains(TokenID(best)) { break }
        }
        return Array(tokens.dropFirst(prompt.count))
    }
}
