extension Tokenizer {
    /// Calls `body` with bytes that determine how text becomes tokens and tokens text: the vocabulary,
    /// the merges, the added tokens, the rules before and after them. Two tokenizers with the same bytes give the same ids
    /// for every text, however their files are written.
    ///
    /// Chat templates, and the end and padding tokens, are not included.
    package func withCanonicalContent(_ body: (UnsafeRawBufferPointer) -> Void) {
        withoutActuallyEscaping(body) { body in
            var content = CanonicalContent(body)
            addVocabulary(to: &content)
            addAddedTokens(to: &content)
            addRules(to: &content)
            content.flush()
        }
    }

    private func addVocabulary(to content: inout CanonicalContent) {
        // The first layout is that of byte-level tokenizers; digests of it are stored in catalogs.
        guard case .bytePairs(let model) = model else {
            content.add("tokenizer content 2")
            content.add(vocabularySize)
            for id in 0..<TokenID(vocabularySize) {
                let name = addedTokens[id].map { Array($0.content.utf8)[...] } ?? tokenNames[id]
                content.add(name)
                content.add(self.model.isToken(name, id))
            }
            content.add(self.model)
            return
        }
        content.add("tokenizer content 1")
        content.add(vocabularySize)
        for id in 0..<TokenID(vocabularySize) {
            let token = tokenBytes[id]
            content.add(token)
            content.add(token.withUnsafeBufferPointer { model.vocabulary.id(of: $0) == id })
        }
        content.add(model.merges)
        content.add(model.ignoresMerges, model.fusesUnknown)
        content.add(Int(model.unknownToken ?? -1))
    }

    private func addAddedTokens(to content: inout CanonicalContent) {
        content.add(addedTokens.count)
        for token in addedTokens.values.sorted(by: { $0.id < $1.id }) {
            content.add(Int(token.id))
            content.add(token.content)
            content.add(
                token.isSpecial, token.isNormalized, token.isSingleWord, token.stripsLeft, token.stripsRight)
        }
        content.add(splitTokens.count)
        for name in splitTokens.sorted(by: { $0.lexicographicallyPrecedes($1) }) { content.add(name) }
    }

    private func addRules(to content: inout CanonicalContent) {
        switch normalizer.effect {
        case .none: content.add(0)
        case .composition: content.add(1)
        case .other:
            content.add(2, normalizer.steps.count)
            for step in normalizer.steps { content.add(step) }
        }
        let steps = preTokenizer.contentOfSteps
        content.add(steps.count)
        for step in steps { content.add(step) }
        for part in [template.prefix, template.suffix] {
            content.add(part.count)
            for token in part { content.add(Int(token)) }
        }
        guard !decoder.isByteLevel else { return }
        // Where the first layout has bytes, the decoder may make something else of the names.
        content.add("decoder")
        for id in 0..<TokenID(vocabularySize) { content.add(tokenNames[id]) }
        content.add(decoder.steps?.count ?? -1)
        for step in decoder.steps ?? [] { content.add(step) }
    }
}
