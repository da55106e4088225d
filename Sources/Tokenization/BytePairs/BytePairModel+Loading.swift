extension BytePairModel {
    /// Loads the `model` of a `tokenizer.json` with a byte-level vocabulary.
    ///
    /// - Throws: `.unsupported`, or `.malformed` for merges of tokens or into tokens that are not in the vocabulary.
    convenience init(
        document: JSONElement, vocabulary: TokenVocabulary, byteLevelTokens: [(bytes: [UInt8], id: TokenID)]
    ) throws(TokenizerError) {
        let settings = try BytePairSettings(document: document, vocabulary: vocabulary)
        var table = ByteStringTable(capacity: byteLevelTokens.count)
        var tokenOfByte = [TokenID](repeating: -1, count: 256)
        for (bytes, id) in byteLevelTokens {
            // The alphabet is one-to-one, so different tokens have different bytes.
            _ = table.insert(bytes, id: id)
            if bytes.count == 1 { tokenOfByte[Int(bytes[0])] = id }
        }
        // Where every byte has its token nothing falls back.
        if settings.fallsBackToBytes, tokenOfByte.contains(-1) {
            throw try document.required("byte_fallback").unsupported(
                "true in a byte-level vocabulary that lacks bytes", supported: "false, or all 256 bytes")
        }
        self.init(
            vocabulary: table, tokenOfByte: tokenOfByte,
            merges: try MergeTable(
                from: document.required("merges"), vocabulary: table, key: ByteLevelAlphabet.bytes(of:)),
            ignoresMerges: settings.ignoresMerges, unknownToken: settings.unknownToken,
            fusesUnknown: settings.fusesUnknown
        )
    }
}
