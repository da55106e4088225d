/// What the `model` of a `tokenizer.json` says about a byte-pair encoding beside its tokens and merges.
struct BytePairSettings {
    var ignoresMerges: Bool
    var unknownToken: TokenID?
    var fusesUnknown: Bool
    var fallsBackToBytes: Bool

    /// - Throws: `.unsupported` for dropout and affixes, `.malformed`.
    init(document: JSONElement, vocabulary: TokenVocabulary) throws(TokenizerError) {
        if let dropout = try document.member("dropout"), !dropout.isZero {
            throw dropout.unsupported("set", supported: "null or 0")
        }
        for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
            if let affix = try document.member(key), try affix.string() != "" {
                throw affix.unsupported("\"\(try affix.string())\"", supported: "null or empty")
            }
        }
        if let unknown = try document.member("unk_token") {
            guard let id = vocabulary.id(of: try unknown.string()) else {
                throw unknown.malformed("the vocabulary has no such token")
            }
            unknownToken = id
        }
        ignoresMerges = try document.flag("ignore_merges", absent: false)
        fusesUnknown = try document.flag("fuse_unk", absent: false)
        fallsBackToBytes = try document.flag("byte_fallback", absent: false)
    }
}
