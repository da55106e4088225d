/// Finds a text in another in linear time, also where both repeat themselves (Knuth, Morris and Pratt 1977).
struct PatternSearch {
    private let pattern: [UInt8]
    /// For every length of a matched beginning of the pattern, the length of its longest proper end that is a beginning too.
    private var borders: [Int] = []

    /// - Parameter pattern: not empty.
    init(_ pattern: [UInt8]) {
        self.pattern = pattern
        guard pattern.count > 1 else { return }
        borders = [0, 0]
        var length = 0
        for byte in pattern.dropFirst() {
            while length > 0, pattern[length] != byte { length = borders[length] }
            if pattern[length] == byte { length += 1 }
            borders.append(length)
        }
    }

    /// Appends a text with all matches replaced, from left to right; matches do not overlap.
    func replaceMatches(in text: UnsafeBufferPointer<UInt8>, by content: [UInt8], into result: inout [UInt8]) {
        if pattern.count == 1 {
            for byte in text {
                if byte == pattern[0] { result.append(contentsOf: content) } else { result.append(byte) }
            }
            return
        }
        var length = 0
        for byte in text {
            while length > 0, pattern[length] != byte {
                // The beginning of what was taken for a match is text.
                let rest = borders[length]
                result.append(contentsOf: pattern[..<(length - rest)])
                length = rest
            }
            guard pattern[length] == byte else {
                result.append(byte)
                continue
            }
            length += 1
            if length == pattern.count {
                result.append(contentsOf: content)
                length = 0
            }
        }
        result.append(contentsOf: pattern[..<length])
    }
}
