/// The form of `context_activations.values`: the activations in all contexts of a feature, nearly all zero.
///
/// Before compression: one byte 1 (values in f32) or 2 (values in f16); the number of contexts; for each of them the
/// number of values that are not zero; for each such value the number of zeros since the one before in its window (or
/// since the window's start); then all values, little-endian and byte-shuffled. Numbers are unsigned LEB128.
package enum ContextActivations {
    /// No window is longer.
    package static let maximumWindowLength = 1 << 20
    /// No feature has more contexts in a corpus: three bands of 2¹⁴ ranks.
    package static let maximumContextCount = 3 << 14

    /// No feature's windows have more tokens together: what a reader has to hold.
    package static let maximumTokenCount = 1 << 23

    /// What a reader that does not know the windows accepts, bytes.
    static let maximumByteCount = 1 << 26

    /// Whether windows of these lengths can be kept.
    static func canHold(windowLengths: [Int]) -> Bool {
        windowLengths.count <= maximumContextCount && windowLengths.allSatisfy((0...maximumWindowLength).contains)
            && windowLengths.reduce(0, +) <= maximumTokenCount
    }

    private static let f32Form: UInt8 = 1
    private static let f16Form: UInt8 = 2

    /// - Parameter windows: The activations of each context, `[contexts][window tokens]`.
    /// - Returns: The form above, not compressed; the values come back exactly.
    package static func encode(_ windows: [[Float]]) -> [UInt8] {
        var counts = ByteWriter()
        var gaps = ByteWriter()
        var kept: [Float] = []
        for window in windows {
            let before = kept.count
            var next = 0
            for (position, activation) in window.enumerated() where activation != 0 {
                gaps.append(varint: position - next)
                next = position + 1
                kept.append(activation)
            }
            counts.append(varint: kept.count - before)
        }
        // Half the bytes suffice where they hold the values exactly, as for activations computed in f16.
        let fitsHalf = kept.allSatisfy { Float(Float16($0)) == $0 }
        var writer = ByteWriter()
        writer.append(fitsHalf ? f16Form : f32Form)
        writer.append(varint: windows.count)
        return writer.bytes + counts.bytes + gaps.bytes
            + ByteShuffle.shuffled(
                TensorValues.encode(kept, as: fitsHalf ? .f16 : .f32), width: fitsHalf ? 2 : 4)
    }

    /// The most bytes that the form takes for windows of these lengths: a bound for what a frame may claim.
    package static func limit(windowLengths: [Int]) -> Int {
        // Form, the count of contexts; per context a count, per token a gap, of at most three bytes, and a value.
        4 + windowLengths.reduce(0) { $0 + 3 + 7 * $1 }
    }

    /// - Parameters:
    ///   - bytes: The form above, decompressed.
    ///   - windowLengths: Tokens of each context's window.
    /// - Returns: The activations `[contexts][window tokens]`.
    /// - Throws: `Zstd.Failure` if `bytes` is not of the form, or is of other windows.
    package static func decode(_ bytes: [UInt8], windowLengths: [Int]) throws(Zstd.Failure) -> [[Float]] {
        guard windowLengths.allSatisfy((0...maximumWindowLength).contains) else {
            throw Zstd.Failure(description: "windows of impossible lengths")
        }
        var reader = ByteReader(bytes)
        guard let form = reader.byte(), form == f32Form || form == f16Form else {
            throw Zstd.Failure(description: "activations of an unknown form")
        }
        guard reader.varint() == windowLengths.count else {
            throw Zstd.Failure(description: "activations of another number of contexts")
        }
        var counts: [Int] = []
        for length in windowLengths {
            guard let count = reader.varint(), count <= length else {
                throw Zstd.Failure(description: "activations of another window length")
            }
            counts.append(count)
        }
        var positions: [[Int]] = []
        var total = 0
        for (count, length) in zip(counts, windowLengths) {
            var places: [Int] = []
            var next = 0
            for _ in 0..<count {
                guard let gap = reader.varint(), gap < length - next else {
                    throw Zstd.Failure(description: "activations outside their window")
                }
                places.append(next + gap)
                next += gap + 1
            }
            positions.append(places)
            total += count
        }
        let width = form == f32Form ? 4 : 2
        guard reader.remainingCount == total * width else {
            throw Zstd.Failure(description: "activations of the wrong length")
        }
        let plain = ByteShuffle.unshuffled(Array(bytes[reader.offset...]), width: width)
        let values = TensorValues.decode(plain[...], as: form == f32Form ? .f32 : .f16)
        var next = 0
        return zip(positions, windowLengths).map { places, length in
            var window = [Float](repeating: 0, count: length)
            for place in places {
                window[place] = values[next]
                next += 1
            }
            return window
        }
    }
}
