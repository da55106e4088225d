/// Splits text into pieces, one step after the other; each step sees the pieces of the one before it.
struct PreTokenizer: Sendable {
    enum Step: Sendable {
        case split(SplitPattern)
        /// Separates numbers, each digit by itself or in runs.
        case digits(individually: Bool)
        /// Puts a space in front of a piece that has none.
        case prefixSpace
    }

    let steps: [Step]

    /// Calls `body` with the pieces of a text from left to right; none is empty.
    func forEachPiece(
        of text: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) {
        guard !text.isEmpty else { return }
        apply(step: 0, to: text, body)
    }

    private func apply(
        step: Int, to text: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) {
        guard step < steps.count, let base = text.baseAddress else {
            body(text)
            return
        }
        if case .prefixSpace = steps[step] {
            guard text[0] != UInt8(ascii: " ") else { return apply(step: step + 1, to: text, body) }
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: text.count + 1) { spaced in
                spaced[0] = UInt8(ascii: " ")
                _ = UnsafeMutableBufferPointer(rebasing: spaced[1...]).update(from: text)
                apply(step: step + 1, to: UnsafeBufferPointer(spaced), body)
            }
            return
        }

        let scanner = ScalarScanner(bytes: base, end: text.count)
        var position = 0
        while position < text.count {
            let end: Int
            switch steps[step] {
            case .split(let pattern): end = pattern.endOfMatch(from: position, in: scanner)
            case .digits(let individually):
                end = scanner.endOfDigitsOrOthers(from: position, individually: individually)
            case .prefixSpace: preconditionFailure("handled above")
            }

            let piece = UnsafeBufferPointer(rebasing: text[position..<end])
            apply(step: step + 1, to: piece, body)
            position = end
        }
    }
}

extension ScalarScanner {
    fileprivate func endOfDigitsOrOthers(from start: Int, individually: Bool) -> Int {
        let (scalarClass, next) = scalar(at: start)
        guard scalarClass.contains(.number) else { return endOfRun(ofNone: .number, from: next) }
        return individually ? next : endOfRun(of: .number, from: next)
    }
}
