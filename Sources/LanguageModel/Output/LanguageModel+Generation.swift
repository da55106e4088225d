import LinearAlgebra
package import Tokenization

extension LanguageModel {
    /// Continues a prompt by greedy decoding; of equal logits the lowest id wins.
    ///
    /// - Parameters:
    ///   - prompt: the tokens to continue; not empty.
    ///   - count: the most tokens added. It ends earlier at the model's longest sequence.
    ///   - stopTokens: ends when one of these has been added, e.g. `configuration.endOfSequence`.
    ///   - editing: called after every layer, first with the streams of the prompt, then with those of each added token
    ///     as it is read.
    /// - Returns: the added tokens.
    /// - Throws: as `DecodingSession.append`; `.notAModel` for logits that are not finite.
    package func greedy(
        prompt: [TokenID], count: Int, stopTokens: Set<TokenID> = [], editing: ResidualEdit? = nil
    ) throws -> [TokenID] {
        try TokenBatch(sequences: [prompt]).check(against: configuration)
        // The last token is predicted from those before it and is not read itself.
        let most = min(count, configuration.maximumPositions + 1 - prompt.count)
        guard most > 0 else { return [] }
        let session = try DecodingSession(self, capacity: prompt.count + most - 1)
        var added: [TokenID] = []
        var next = prompt
        while added.count < most {
            let logits = try session.append(next, editing: editing).logits
            var best = 0
            for token in 1..<max(configuration.vocabularySize, 1) where logits[0, token] > logits[0, best] {
                best = token
            }
            guard logits[0, best].isFinite else {
                throw LanguageModelError.notAModel(
                    path: directory, problem: "its logits are not finite; its weights or its config.json may be damaged"
                )
            }
            next = [TokenID(best)]
            added += next
            if stopTokens.contains(TokenID(best)) { break }
        }
        return added
    }
}
