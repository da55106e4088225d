/// A byte-level byte-pair encoding: splits one piece of text into tokens (Sennrich et al. 2016, arXiv 1508.07909).
///
/// A class, since it is passed for every piece, and copying a struct would retain all of its tables.
final class BytePairModel: Sendable {
    /// The ids of the tokens by the bytes they stand for.
    let vocabulary: ByteStringTable
    /// The token of each single byte, -1 where the vocabulary has none.
    let tokenOfByte: [TokenID]
    let merges: MergeTable
    /// Whether a piece that is a token as a whole is encoded as that token even if the merges do not lead there.
    let ignoresMerges: Bool
    /// The token for bytes that have no token; without it such bytes are dropped.
    let unknownToken: TokenID?
    /// Whether a run of such bytes becomes one unknown token.
    let fusesUnknown: Bool

    init(
        vocabulary: ByteStringTable, tokenOfByte: [TokenID], merges: MergeTable, ignoresMerges: Bool,
        unknownToken: TokenID?, fusesUnknown: Bool
    ) {
        self.vocabulary = vocabulary
        self.tokenOfByte = tokenOfByte
        self.merges = merges
        self.ignoresMerges = ignoresMerges
        self.unknownToken = unknownToken
        self.fusesUnknown = fusesUnknown
    }

    /// Appends the tokens of a piece, without the cache.
    func encode(_ piece: UnsafeBufferPointer<UInt8>, with merger: inout BytePairMerger, into sink: inout TokenSink) {
        if ignoresMerges, let id = vocabulary.id(of: piece) {
            sink.ids.append(id)
            return
        }
        if piece.count > LongPiece.threshold, tokenOfByte.allSatisfy({ $0 >= 0 }) {
            return encode(long: piece, with: &merger, into: &sink)
        }
        merger.removeAll()
        var unknown: TokenID?
        for byte in piece {
            let id = tokenOfByte[Int(byte)]
            if id >= 0 {
                if let token = unknown { merger.append(token) }
                unknown = nil
                merger.append(id)
            } else {
                if let token = unknown, !fusesUnknown { merger.append(token) }
                unknown = unknownToken
            }
        }
        if let token = unknown { merger.append(token) }
        merger.merge(by: merges)
        merger.forEachToken { sink.ids.append($0) }
    }
}
