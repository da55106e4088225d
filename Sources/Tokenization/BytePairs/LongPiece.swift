/// Encoding of long pieces in parts: a text without a space would take tens of times its size.
enum LongPiece {
    /// The size in bytes from which on a piece is encoded in parts.
    static let threshold = 1 << 16

    /// Tokens with the offsets of their first bytes.
    typealias Part = [(token: TokenID, start: Int)]

    /// Appends the tokens of a long piece, in memory that does not grow with it.
    ///
    /// A sequence of tokens is that of the whole piece exactly if the bytes of any two neighbours by themselves give
    /// these two: the first merge across a border of tokens would also be made in the two alone. That holds within a
    /// part, so it is checked only for the two tokens at the border to the next one.
    ///
    /// - Parameter tokens: the tokens of a part of the piece. Parts begin and end where tokens do, or where no byte
    ///   continues a character.
    static func encode(
        _ piece: UnsafeBufferPointer<UInt8>, into sink: inout TokenSink, cutsCharacters: Bool = false,
        by tokens: (Range<Int>) -> Part
    ) {
        func end(of start: Int, length: Int) -> Int {
            var end = min(start + length, piece.count)
            while !cutsCharacters, end < piece.count, UTF8.isContinuation(piece[end]) { end += 1 }
            return end
        }
        var length = threshold
        var part = tokens(0..<end(of: 0, length: length))
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
                let candidate = tokens(begin..<end(of: begin, length: length))
                if isBorder(part[cut - 1], candidate, by: tokens) { next = candidate } else { cut += 1 }
            }
            if let next {
                sink.ids.append(contentsOf: part[..<cut].lazy.map(\.token))
                sink.passOn()
                part = next
            } else {
                length *= 2
                part = tokens(start..<end(of: start, length: length))
            }
        }
    }

    /// Whether a token and the first one of the next part are the encoding of their joined bytes.
    private static func isBorder(
        _ last: (token: TokenID, start: Int), _ next: Part, by tokens: (Range<Int>) -> Part
    ) -> Bool {
        guard next.count > 1 else { return false }
        return tokens(last.start..<next[1].start).map(\.token) == [last.token, next[0].token]
    }
}
