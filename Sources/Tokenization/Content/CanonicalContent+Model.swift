extension CanonicalContent {
    /// Adds a model that is not a byte-pair encoding over bytes.
    mutating func add(_ model: TokenModel) {
        switch model {
        case .bytePairs: break
        case .characterPairs(let model):
            add("character pairs")
            add(model.merges)
            add(model.ignoresMerges, model.fusesUnknown)
            add(Int(model.unknownToken ?? -1))
            add(model.byteTokens.count)
            for token in model.byteTokens { add(Int(token)) }
        case .unigram(let model):
            add("unigram")
            add(Int(model.unknownToken), model.scores.count)
            for score in model.scores { add(Int(bitPattern: UInt(score.bitPattern))) }
            add(model.byteTokens.count)
            for token in model.byteTokens { add(Int(token)) }
        case .words(let model):
            add("words")
            add(model.takesParts)
            add(model.prefix)
            add(model.longestWord, Int(model.unknownToken ?? -1))
        }
    }

    mutating func add(_ merges: MergeTable) {
        let merges = merges.inOrder
        add(merges.count)
        for merge in merges { add(Int(merge.left), Int(merge.right), Int(merge.token)) }
    }
}
