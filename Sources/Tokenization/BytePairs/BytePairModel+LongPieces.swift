extension BytePairModel {
    /// The size from which on a piece is encoded in parts: a text without a space would take tens of times its size.
    static let longPiece = 1 << 16

    private typealias Part = [(token: TokenID, start: Int)]

    /// Appends the tokens of a long piece whose bytes all have tokens, in memory that does not grow with it.
    ///
    /// A sequence of tokens is that of the whole piece exactly if the bytes of any two neighbours by themselves give
    /// these two: the first merge across a border of tokens would also be made in the two alone. That holds within a
    /// part, so it is checked only for the two tokens at the border to the next one.
    func encode(
        long piece: UnsafeBufferPointer<UInt8>, with merger: inout BytePairMerger, into sink: inout TokenSink
    ) {
        var length = Self.longPiece
        var part = tokens(of: piece, 0..<min(length, piece.count), with: &merger)
        while let start = part.first?.start {
            if start + length >= piece.count {
                sink.ids.append(contentsOf: part.lazy.map(\.token))
                return
            }
            // Tokens near the end depend on what follows, so the next part begins before them.
            let first = max(1, part.count - part.count / 8)
            var next: Part?
            var cut = first
            while next == nil, cut < min(first + 16, part.count) {
                let begin = part[cut].start
                let candidate = tokens(of: piece, begin..<min(begin + length, piece.count), with: &merger)
                if isBorder(part[cut - 1], candidate, of: piece, with: &merger) { next = candidate } else { cut += 1 }
            }
            if let next {
                sink.ids.append(contentsOf: part[..<cut].lazy.map(\.token))
                sink.passOn()
                part = next
            } else {
                length *= 2
                part = tokens(of: piece, start..<min(start + length, piece.count), with: &merger)
            }
        }
    }

    private func tokens(
        of piece: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, with merger: inout BytePairMerger
    ) -> Part {
        merger.removeAll()
        for byte in piece[range] { merger.append(tokenOfByte[Int(byte)]) }
        merger.merge(by: merges)
        var part: Part = []
        // A node for every byte.
        merger.forEachTokenWithStart { part.append(($0, range.lowerBound + $1)) }
        return part
    }

    /// Whether a token and the first one of the next part are the encoding of their joined bytes.
    private func isBorder(
        _ last: (token: TokenID, start: Int), _ next: Part, of piece: UnsafeBufferPointer<UInt8>,
        with merger: inout BytePairMerger
    ) -> Bool {
        guard next.count > 1 else { return false }
        let both = tokens(of: piece, last.start..<next[1].start, with: &merger)
        return both.map(\.token) == [last.token, next[0].token]
    }
}
