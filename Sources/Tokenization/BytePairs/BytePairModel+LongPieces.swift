extension BytePairModel {
    /// Appends the tokens of a long piece whose bytes all have tokens, in memory that does not grow with it.
    func encode(
        long piece: UnsafeBufferPointer<UInt8>, with merger: inout BytePairMerger, into sink: inout TokenSink
    ) {
        LongPiece.encode(piece, into: &sink, cutsCharacters: true) { range in
            merger.removeAll()
            for byte in piece[range] { merger.append(tokenOfByte[Int(byte)]) }
            merger.merge(by: merges)
            var part: LongPiece.Part = []
            // A node for every byte.
            merger.forEachTokenWithStart { part.append(($0, range.lowerBound + $1)) }
            return part
        }
    }
}
