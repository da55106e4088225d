extension CharacterPairModel {
    /// Loads the `model` of a `tokenizer.json` whose vocabulary is plain text.
    ///
    /// - Throws: `.unsupported`, or `.malformed` for merges of tokens or into tokens that are not in the vocabulary.
    convenience init(document: JSONElement, vocabulary: TokenVocabulary) throws(TokenizerError) {
        let settings = try BytePairSettings(document: document, vocabulary: vocabulary)
        var table = ByteStringTable(capacity: vocabulary.modelCount)
        var characters = ScalarTokens()
        for (name, id) in vocabulary.modelTokens {
            // The keys of an object are different.
            _ = table.insert(name, id: id)
            if let scalar = Self.onlyScalar(of: name) { characters[scalar.value] = id }
        }
        let merges = try MergeTable(from: document.required("merges"), vocabulary: table) { $0.tokenKey }
        let byteTokens = settings.fallsBackToBytes ? vocabulary.byteTokens : []
        let made = merges.inOrder
        let stray = Set(byteTokens + [settings.unknownToken ?? -1]).subtracting([-1])
        self.init(
            vocabulary: table, characters: characters, merges: merges,
            neighbours: Self.neighbours(in: made.map { vocabulary.names[$0.token] ?? [] }, characters),
            ignoresMerges: settings.ignoresMerges, unknownToken: settings.unknownToken,
            fusesUnknown: settings.fusesUnknown, byteTokens: byteTokens,
            isFallbackInert: byteTokens.count == 256 && !byteTokens.contains(-1)
                && !made.contains { stray.contains($0.left) || stray.contains($0.right) })
    }

    private static func onlyScalar(of name: [UInt8]) -> Unicode.Scalar? {
        guard name.count <= 4 else { return nil }
        let scalars = String(decoding: name, as: UTF8.self).unicodeScalars
        return scalars.count == 1 ? scalars.first : nil
    }

    /// The neighbouring characters in tokens, as the characters' tokens.
    private static func neighbours(in names: [[UInt8]], _ characters: ScalarTokens) -> TokenPairSet {
        var pairs: Set<UInt64> = []
        for name in names {
            name.withUnsafeBufferPointer { name in
                var last: TokenID = -1
                var position = 0
                while position < name.count {
                    let (scalar, next) = name.scalar(at: position)
                    let token = characters[scalar]
                    if last >= 0, token >= 0 { pairs.insert(TokenPairSet.packed(last, token)) }
                    last = token
                    position = next
                }
            }
        }
        return TokenPairSet(pairs)
    }
}
