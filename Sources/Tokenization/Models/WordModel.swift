/// A vocabulary of whole words, and of the parts that words are made of.
///
/// `WordLevel` takes a piece as a whole. `WordPiece` takes the longest token that begins it, and then the longest
/// continuation (`tokenizers/src/models/wordpiece/mod.rs` of github.com/huggingface/tokenizers). A piece that cannot be made
/// of tokens is unknown.
final class WordModel: Sendable {
    /// The whole words.
    let words: ByteTrie
    /// The continuations without their prefix; nil for whole words only.
    private let continuations: ByteTrie?
    /// Whether words are made of parts.
    var takesParts: Bool { continuations != nil }
    /// The prefix of continuations.
    let prefix: [UInt8]
    /// How many characters a word has at most.
    let longestWord: Int
    let unknownToken: TokenID?

    /// Loads the `model` of a `tokenizer.json`.
    ///
    /// - Parameter takesParts: whether words are made of parts.
    /// - Throws: `.malformed`.
    init(document: JSONElement, vocabulary: TokenVocabulary, takesParts: Bool) throws(TokenizerError) {
        let prefix =
            takesParts ? Array(try document.member("continuing_subword_prefix")?.string().utf8 ?? "##".utf8) : []
        self.prefix = prefix
        longestWord = takesParts ? try document.member("max_input_chars_per_word")?.count() ?? 100 : .max
        words = ByteTrie(vocabulary.modelTokens.map { ($0.name, $0.id) })
        continuations =
            takesParts
            ? ByteTrie(
                vocabulary.modelTokens.filter { $0.name.starts(with: prefix) }.map {
                    (Array($0.name.dropFirst(prefix.count)), $0.id)
                }) : nil
        unknownToken = vocabulary.id(of: try document.member("unk_token")?.string() ?? (takesParts ? "[UNK]" : "<unk>"))
    }

    /// Appends the tokens of a piece.
    func encode(_ piece: UnsafeBufferPointer<UInt8>, into sink: inout TokenSink) {
        let first = sink.ids.count
        if let continuations {
            if piece.lazy.filter({ !UTF8.isContinuation($0) }).count <= longestWord {
                var start = 0
                while let (token, end) = Self.longest(in: start == 0 ? words : continuations, of: piece, from: start) {
                    sink.ids.append(token)
                    start = end
                    if start == piece.count { return }
                }
            }
        } else if let token = words.value(of: piece) {
            return sink.ids.append(token)
        }
        sink.ids.removeSubrange(first...)
        if let unknownToken { sink.ids.append(unknownToken) }
    }

    private static func longest(
        in trie: ByteTrie, of piece: UnsafeBufferPointer<UInt8>, from start: Int
    ) -> (token: TokenID, end: Int)? {
        var node = ByteTrie.root
        var found: (TokenID, Int)?
        var position = start
        while position < piece.count, let child = trie.child(of: node, piece[position]) {
            node = child
            position += 1
            if let token = trie.value(at: node) { found = (token, position) }
        }
        return found
    }
}
