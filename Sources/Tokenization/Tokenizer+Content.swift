extension Tokenizer {
    /// Calls `body` with bytes that determine how text becomes tokens and tokens text: the vocabulary,
    /// the merges, the added tokens, the rules before and after them. Two tokenizers with the same bytes give the same ids
    /// for every text, however their files are written.
    ///
    /// Chat templates, and the end and padding tokens, are not included.
    package func withCanonicalContent(_ body: (UnsafeRawBufferPointer) -> Void) {
        var bytes: [UInt8] = []
        func add(_ numbers: Int...) {
            for number in numbers {
                withUnsafeBytes(of: Int64(number).littleEndian) { bytes.append(contentsOf: $0) }
            }
        }

        func add(_ text: some Collection<UInt8>) {
            add(text.count)
            bytes.append(contentsOf: text)
        }

        func flush() {
            bytes.withUnsafeBytes(body)
            bytes.removeAll(keepingCapacity: true)
        }
        add("tokenizer content 1".utf8)
        add(vocabularySize)
        for id in 0..<TokenID(vocabularySize) {
            let token = tokenBytes[id]
            add(token)
            add(token.withUnsafeBufferPointer { model.vocabulary.id(of: $0) == id } ? 1 : 0)
            if bytes.count > 1 << 20 { flush() }
        }

        let merges = model.merges.inOrder
        add(merges.count)
        for merge in merges {
            add(Int(merge.left), Int(merge.right), Int(merge.token))
            if bytes.count > 1 << 20 { flush() }
        }
        add(model.ignoresMerges ? 1 : 0, model.fusesUnknown ? 1 : 0, Int(model.unknownToken ?? -1))
        add(addedTokens.count)
        for token in addedTokens.values.sorted(by: { $0.id < $1.id }) {
            add(Int(token.id))
            add(token.content.utf8)
            for flag in [
                token.isSpecial, token.isNormalized, token.isSingleWord, token.stripsLeft, token.stripsRight,
            ] { add(flag ? 1 : 0) }
        }
        add(splitTokens.count)
        for name in splitTokens.sorted(by: { $0.lexicographicallyPrecedes($1) }) { add(name) }
        add(normalizer == .composed ? 1 : 0)
        let steps = preTokenizer.contentOfSteps
        add(steps.count)
        for step in steps { add(step.utf8) }
        for part in [template.prefix, template.suffix] {
            add(part.count)
            for token in part { add(Int(token)) }
        }
        flush()
    }
}
