/// A byte-pair encoding over characters, as SentencePiece's models become in a `tokenizer.json`.
///
/// A piece may be a whole document, so it is encoded in segments: no token that merges make has two characters side by
/// side that no merge makes neighbours, so between two such characters there is always a border of tokens.
final class CharacterPairModel: Sendable {
    /// The ids of the tokens.
    let vocabulary: ByteStringTable
    /// The tokens of single characters.
    let characters: ScalarTokens
    let merges: MergeTable
    /// The characters' tokens that are neighbours within some token that a merge makes.
    let neighbours: TokenPairSet
    /// Whether a piece that is a token as a whole is encoded as that token even if the merges do not lead there.
    let ignoresMerges: Bool
    /// The token for characters that have no token; without it such characters are dropped.
    let unknownToken: TokenID?
    /// Whether a run of such characters becomes one unknown token.
    let fusesUnknown: Bool
    /// The tokens of the bytes of characters without a token, -1 where there is none; empty without `byte_fallback`.
    let byteTokens: [TokenID]
    /// Whether characters without a token become bytes' tokens always, and no merge takes these.
    let isFallbackInert: Bool

    init(
        vocabulary: ByteStringTable, characters: ScalarTokens, merges: MergeTable, neighbours: TokenPairSet,
        ignoresMerges: Bool, unknownToken: TokenID?, fusesUnknown: Bool, byteTokens: [TokenID], isFallbackInert: Bool
    ) {
        self.vocabulary = vocabulary
        self.characters = characters
        self.merges = merges
        self.neighbours = neighbours
        self.ignoresMerges = ignoresMerges
        self.unknownToken = unknownToken
        self.fusesUnknown = fusesUnknown
        self.byteTokens = byteTokens
        self.isFallbackInert = isFallbackInert
    }

    /// Appends the tokens of a piece.
    func encode(
        _ piece: UnsafeBufferPointer<UInt8>, with workspace: EncodingWorkspace, into sink: inout TokenSink
    ) {
        if ignoresMerges, let id = vocabulary.id(of: piece) {
            sink.ids.append(id)
            return
        }
        var start = 0
        var position = 0
        var last: TokenID = -1
        while position < piece.count {
            let (scalar, next) = piece.scalar(at: position)
            let token = characters[scalar]
            if position > start, isBorder(between: last, token) {
                encode(segment: UnsafeBufferPointer(rebasing: piece[start..<position]), with: workspace, into: &sink)
                start = position
            }
            last = token
            position = next
        }
        encode(segment: UnsafeBufferPointer(rebasing: piece[start...]), with: workspace, into: &sink)
    }

    /// Whether there is a border of tokens between two characters, whatever is around them.
    @inline(__always)
    private func isBorder(between left: TokenID, _ right: TokenID) -> Bool {
        if left < 0 || right < 0 { return isFallbackInert }
        return !neighbours.contains(left, right)
    }

    private func encode(
        segment: UnsafeBufferPointer<UInt8>, with workspace: EncodingWorkspace, into sink: inout TokenSink
    ) {
        sink.passOn()
        if workspace.cache.append(segment, to: &sink.ids) { return }
        if segment.count > LongPiece.threshold, areKnown(segment) {
            LongPiece.encode(segment, into: &sink) { tokens(of: segment, $0, with: &workspace.merger) }
            return
        }
        let first = sink.ids.count
        fill(&workspace.merger, with: segment)
        workspace.merger.merge(by: merges)
        workspace.merger.forEachToken { sink.ids.append($0) }
        if segment.count <= PieceCache.maximumKeyCount { workspace.cache.remember(segment, tokens: sink.ids[first...]) }
    }

    /// Fills the merger with the tokens of single characters.
    ///
    /// The unknown token of a character waits for the next known one, as in the reference implementation: bytes' tokens
    /// behind it come first (`merge_word` in `tokenizers/src/models/bpe/model.rs` of github.com/huggingface/tokenizers).
    private func fill(_ merger: inout BytePairMerger, with segment: UnsafeBufferPointer<UInt8>) {
        merger.removeAll()
        var waiting: TokenID?
        var position = 0
        while position < segment.count {
            let (scalar, next) = segment.scalar(at: position)
            let token = characters[scalar]
            if token >= 0 {
                if let unknown = waiting { merger.append(unknown) }
                waiting = nil
                merger.append(token)
            } else if hasByteTokens(segment[position..<next]) {
                for byte in segment[position..<next] { merger.append(byteTokens[Int(byte)]) }
            } else {
                if let unknown = waiting, !fusesUnknown { merger.append(unknown) }
                waiting = unknownToken
            }
            position = next
        }
        if let unknown = waiting { merger.append(unknown) }
    }

    private func hasByteTokens(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        !byteTokens.isEmpty && bytes.allSatisfy { byteTokens[Int($0)] >= 0 }
    }

    private func areKnown(_ segment: UnsafeBufferPointer<UInt8>) -> Bool {
        var position = 0
        while position < segment.count {
            let (scalar, next) = segment.scalar(at: position)
            guard characters[scalar] >= 0 else { return false }
            position = next
        }
        return true
    }

    /// The tokens of a part of a segment of characters that all have tokens, with the offset of each.
    private func tokens(
        of segment: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, with merger: inout BytePairMerger
    ) -> LongPiece.Part {
        merger.removeAll()
        var starts: [Int32] = []
        var position = range.lowerBound
        while position < range.upperBound {
            let (scalar, next) = segment.scalar(at: position)
            merger.append(characters[scalar])
            starts.append(Int32(position - range.lowerBound))
            position = next
        }
        merger.merge(by: merges)
        var part: LongPiece.Part = []
        merger.forEachTokenWithStart { part.append(($0, range.lowerBound + Int(starts[$1]))) }
        return part
    }
}
