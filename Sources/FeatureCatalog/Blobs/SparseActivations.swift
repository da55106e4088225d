/// The form that `context.activations` had in catalogs of version 1, a frame for every context; read when they are
/// migrated.
///
/// Before compression: one byte 1 (values in f32) or 2 (values in f16); the number of tokens in the window; the number
/// of values that are not zero; for each of them the number of zeros since the one before (or since the start); then
/// the values, little-endian. Numbers are unsigned LEB128.
package enum SparseActivations {
    /// No window is longer.
    package static let maximumWindowLength = 1 << 20

    private static let f32Form: UInt8 = 1
    private static let f16Form: UInt8 = 2

    /// - Returns: `windowLength` activations.
    /// - Throws: `Zstd.Failure` if the frame is damaged or its content is not of the form.
    package static func decode(_ frame: [UInt8], windowLength: Int) throws(Zstd.Failure) -> [Float] {
        guard (0...maximumWindowLength).contains(windowLength) else {
            throw Zstd.Failure(description: "a window of \(windowLength) tokens")
        }
        // Form, two counts of at most three bytes, and per token a gap of at most three bytes and a value of four.
        let content = try Zstd.decompress(frame, limit: 7 + 7 * windowLength)
        var reader = ByteReader(content)
        guard let form = reader.byte(), form == f32Form || form == f16Form else {
            throw Zstd.Failure(description: "activations of an unknown form")
        }
        guard reader.varint() == windowLength, let count = reader.varint(), count <= windowLength else {
            throw Zstd.Failure(description: "activations of another window length")
        }

        var positions: [Int] = []
        var next = 0
        for _ in 0..<count {
            guard let gap = reader.varint(), gap < windowLength - next else {
                throw Zstd.Failure(description: "activations outside their window")
            }
            positions.append(next + gap)
            next += gap + 1
        }
        guard reader.remainingCount == count * (form == f32Form ? 4 : 2) else {
            throw Zstd.Failure(description: "activations of the wrong length")
        }

        var activations = [Float](repeating: 0, count: windowLength)
        for position in positions {
            if form == f32Form {
                activations[position] = Float(bitPattern: reader.littleEndian32() ?? 0)
            } else {
                activations[position] = Float(Float16(bitPattern: reader.littleEndian16() ?? 0))
            }
        }
        return activations
    }
}
