import JSON

extension UnigramModel {
    /// Loads the `model` of a `tokenizer.json`.
    ///
    /// - Throws: `.unsupported`, `.malformed`.
    convenience init(document: JSONElement, vocabulary: TokenVocabulary) throws(TokenizerError) {
        guard let unknown = try document.member("unk_id") else {
            throw .unsupported(
                path: document.file, element: "\(document.place).unk_id", found: "null",
                supported: "Unigram with the id of its unknown token")
        }
        let unknownToken = try unknown.tokenID()
        let list = try document.required("vocab")
        let entries = try list.values()
        guard Int(unknownToken) < entries.count else { throw unknown.malformed("the vocabulary has no such token") }
        var scored: [(token: [UInt8], score: Double)] = []
        scored.reserveCapacity(entries.count)
        for (index, entry) in entries.enumerated() {
            guard case .array(let pair) = entry, pair.count == 2, case .string(let token) = pair[0],
                let score = pair[1].double
            else {
                throw .malformed(
                    path: list.file, element: "\(list.place)[\(index)]",
                    reason: "it is not a pair of a token and a score")
            }
            scored.append((token.tokenKey, ScoreReading.read(score)))
        }
        self.init(
            vocabulary: scored, unknownToken: unknownToken,
            byteTokens: try document.flag("byte_fallback", absent: false) ? vocabulary.byteTokens : [])
    }
}
