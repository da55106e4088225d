/// The step `Metaspace`: spaces become a visible character, with which pieces begin.
struct MetaspaceStep: Sendable {
    /// Where the character is put in front of text that does not begin with it.
    enum PrependScheme: String, Sendable, CaseIterable {
        case always
        /// Only at the beginning of the original text.
        case first
        case never
    }

    /// The UTF-8 of the character.
    var replacement: [UInt8]
    var scheme: PrependScheme
    var splits: Bool

    /// Calls `body` with the pieces of a text, with where each begins in the text, and with how many bytes of it have
    /// been put in front.
    ///
    /// Only a piece is copied, not the text.
    func forEachPiece(
        of text: UnsafeBufferPointer<UInt8>, isFirst: Bool,
        _ body: (UnsafeBufferPointer<UInt8>, _ start: Int, _ prepended: Int) -> Void
    ) {
        var piece: [UInt8] = []
        var position = 0
        var prepended = 0
        var pieceStart = 0
        if lengthOfSeparator(in: text, at: 0) == 0, scheme == .always || scheme == .first && isFirst {
            piece = replacement
            prepended = replacement.count
        }
        while position < text.count {
            let separator = lengthOfSeparator(in: text, at: position)
            if separator > 0 {
                if splits, !piece.isEmpty {
                    piece.withUnsafeBufferPointer { body($0, pieceStart, prepended) }
                    prepended = 0
                    pieceStart = position
                    piece.removeAll(keepingCapacity: true)
                }
                piece += replacement
                position += separator
            }
            let start = position
            while position < text.count, lengthOfSeparator(in: text, at: position) == 0 { position += 1 }
            piece += text[start..<position]
        }
        if !piece.isEmpty { piece.withUnsafeBufferPointer { body($0, pieceStart, prepended) } }
    }

    /// The number of bytes of a space or of the replacement at a position; 0 if another character is there.
    @inline(__always)
    private func lengthOfSeparator(in text: UnsafeBufferPointer<UInt8>, at position: Int) -> Int {
        if text[position] == UInt8(ascii: " ") { return 1 }
        guard text[position] == replacement[0], position + replacement.count <= text.count else { return 0 }
        for offset in 1..<max(replacement.count, 1) where text[position + offset] != replacement[offset] { return 0 }
        return replacement.count
    }
}
