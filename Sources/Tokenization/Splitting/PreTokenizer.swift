/// Splits text into pieces, one step after the other; each step sees the pieces of the one before it.
package struct PreTokenizer: Sendable {
    enum Step: Sendable {
        /// Splits into the matches of a pattern to which every scalar belongs.
        case split(SplitPattern)
        /// Splits by any pattern.
        case pattern(PatternSplit)
        /// Separates numbers, each digit by itself or in runs.
        case digits(individually: Bool)
        /// Cuts after so many scalars.
        case fixedLength(Int)
        /// Puts a space in front of a piece that has none.
        case prefixSpace
        case metaspace(MetaspaceStep)
        /// Replaces bytes by the characters that stand for them, for steps behind `ByteLevel`.
        case byteCharacters
        /// Replaces those characters by the bytes again.
        case bytesOfCharacters
    }

    let steps: [Step]
    /// Whether pieces are bytes, which need not be whole characters (`ByteLevel`), and not text.
    package let isByteLevel: Bool

    /// Calls `body` with the pieces of a text from left to right; none is empty.
    ///
    /// - Parameters:
    ///   - text: valid UTF-8.
    ///   - isFirst: whether it begins where the original text does, on which `Metaspace` with the scheme `first` depends.
    func forEachPiece(
        of text: UnsafeBufferPointer<UInt8>, isFirst: Bool, _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) {
        guard !text.isEmpty else { return }
        apply(step: 0, to: text, firstUpTo: isFirst ? 0 : -1, body)
    }

    /// The pieces of a text, as `forEachPiece` gives them.
    package func pieces(of text: String, isFirst: Bool = true) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var text = text
        text.withUTF8 { bytes in forEachPiece(of: bytes, isFirst: isFirst) { pieces.append(Array($0)) } }
        return pieces
    }

    /// - Parameter limit: pieces that begin up to there, begin where the original text does; what is put in front of a
    ///   text counts as part of its first character. Negative if there is no such place.
    private func apply(
        step: Int, to text: UnsafeBufferPointer<UInt8>, firstUpTo limit: Int,
        _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) {
        guard step < steps.count, let base = text.baseAddress else { return body(text) }
        func goOn(_ range: Range<Int>) {
            apply(
                step: step + 1, to: UnsafeBufferPointer(rebasing: text[range]),
                firstUpTo: max(-1, limit - range.lowerBound), body)
        }
        switch steps[step] {
        case .split(let pattern):
            let scanner = ScalarScanner(bytes: base, end: text.count)
            let isLast = step + 1 == steps.count
            var position = 0
            while position < text.count {
                let end = pattern.endOfMatch(from: position, in: scanner)
                // The way of most text.
                if isLast { body(UnsafeBufferPointer(rebasing: text[position..<end])) } else { goOn(position..<end) }
                position = end
            }
        case .digits(let individually):
            let scanner = ScalarScanner(bytes: base, end: text.count)
            var position = 0
            while position < text.count {
                let end = scanner.endOfDigitsOrOthers(from: position, individually: individually)
                goOn(position..<end)
                position = end
            }
        case .fixedLength(let length):
            let scanner = ScalarScanner(bytes: base, end: text.count)
            var position = 0
            while position < text.count {
                let end = scanner.end(ofScalars: length, from: position)
                goOn(position..<end)
                position = end
            }
        case .pattern(let split):
            split.forEachPiece(of: text, goOn)
        case .prefixSpace:
            guard text[0] != UInt8(ascii: " ") else {
                return apply(step: step + 1, to: text, firstUpTo: limit, body)
            }
            var spaced: [UInt8] = []
            spaced.reserveCapacity(text.count + 1)
            spaced.append(UInt8(ascii: " "))
            spaced += text
            spaced.withUnsafeBufferPointer {
                apply(step: step + 1, to: $0, firstUpTo: limit < 0 ? limit : limit + 1, body)
            }
        case .metaspace(let metaspace):
            metaspace.forEachPiece(of: text, isFirst: limit >= 0) { piece, start, prepended in
                let limit = start > limit ? -1 : limit - start + prepended
                apply(step: step + 1, to: piece, firstUpTo: limit, body)
            }
        case .byteCharacters:
            ByteCharacters.withCharacters(of: text) { apply(step: step + 1, to: $0, firstUpTo: limit, body) }
        case .bytesOfCharacters:
            ByteCharacters.withBytes(of: text) { apply(step: step + 1, to: $0, firstUpTo: limit, body) }
        }
    }
}

extension ScalarScanner {
    fileprivate func endOfDigitsOrOthers(from start: Int, individually: Bool) -> Int {
        let (scalarClass, next) = scalar(at: start)
        guard scalarClass.contains(.numeric) else { return endOfRun(ofNone: .numeric, from: next) }
        return individually ? next : endOfRun(of: .numeric, from: next)
    }

    fileprivate func end(ofScalars count: Int, from start: Int) -> Int {
        var position = start
        var rest = count
        while rest > 0, position < end {
            position = scalar(at: position).next
            rest -= 1
        }
        return position
    }
}
