/// The form of `context_activations.values` in catalogs of versions 2 to 5, a blob for every feature: the activations in
/// all of its contexts, nearly all zero. Read when they are migrated.
///
/// Before compression: one byte 1 (values in f32) or 2 (values in f16); the number of contexts; for each of them the
/// number of values that are not zero; for each such value the number of zeros since the one before in its window (or
/// since the window's start); then all values, little-endian and byte-shuffled. Numbers are unsigned LEB128.
package enum FormerActivations {
    /// The most bytes accepted by a reader that does not know the windows.
    static let maximumByteCount = 1 << 26

    private static let f32Form: UInt8 = 1
    private static let f16Form: UInt8 = 2

    /// - Parameter windows: The activations of each context, `[contexts][window tokens]`.
    /// - Returns: The form above, uncompressed; values are exact.
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

    /// - Parameter bytes: The form above, decompressed.
    /// - Returns: For each context the positions in its window where the feature fires, ascending, with activations.
    /// - Throws: `Zstd.Failure` if `bytes` is not of the form.
    package static func decode(_ bytes: [UInt8]) throws(Zstd.Failure) -> [[(place: Int, activation: Float)]] {
        var reader = ByteReader(bytes)
        guard let form = reader.byte(), form == f32Form || form == f16Form else {
            throw Zstd.Failure(description: "activations of an unknown form")
        }
        guard let contextCount = reader.varint(), contextCount <= OtherActivations.maximumContextCount else {
            throw Zstd.Failure(description: "activations of more contexts than a feature has")
        }

        var counts: [Int] = []
        var total = 0
        for _ in 0..<contextCount {
            guard let count = reader.varint(), count <= OtherActivations.maximumWindowLength else {
                throw Zstd.Failure(description: "activations of an impossible window")
            }
            counts.append(count)
            total += count
        }
        // Each takes a gap of a byte and a value at least.
        guard total <= reader.remainingCount else { throw Zstd.Failure(description: "activations of the wrong length") }
        var places: [[Int]] = []
        for count in counts {
            var (found, next) = ([Int](), 0)
            for _ in 0..<count {
                guard let gap = reader.varint(), gap < OtherActivations.maximumWindowLength - next else {
                    throw Zstd.Failure(description: "activations outside their window")
                }
                found.append(next + gap)
                next += gap + 1
            }
            places.append(found)
        }

        let width = form == f32Form ? 4 : 2
        guard reader.remainingCount == total * width else {
            throw Zstd.Failure(description: "activations of the wrong length")
        }

        let plain = ByteShuffle.unshuffled(Array(bytes[reader.offset...]), width: width)
        var values = TensorValues.decode(plain[...], as: form == f32Form ? .f32 : .f16)[...]
        return places.map { places in
            defer { values = values.dropFirst(places.count) }
            return zip(places, values).map { (place: $0, activation: $1) }
        }
    }
}
