/// The form of `document.token_ids`: a zstd frame of little-endian 32-bit numbers, byte-shuffled since version 2.
enum TokenIDs {
    /// No document is longer: with four bytes a token it would not fit SQLite's largest value.
    static let maximumCount = 1 << 28

    /// - Returns: A frame of shuffled bytes.
    static func encode(_ tokenIDs: [Int32]) throws(Zstd.Failure) -> [UInt8] {
        var writer = ByteWriter()
        for id in tokenIDs { writer.append(littleEndian: UInt32(bitPattern: id)) }
        return try Zstd.compress(ByteShuffle.shuffled(writer.bytes, width: 4))
    }

    /// - Throws: `Zstd.Failure` if the frame is damaged or holds another number of ids than `count`.
    static func decode(_ frame: [UInt8], count: Int, isShuffled: Bool) throws(Zstd.Failure) -> [Int32] {
        guard (0...maximumCount).contains(count) else {
            throw Zstd.Failure(description: "a document of \(count) tokens")
        }

        let content = try Zstd.decompress(frame, limit: 4 * count)
        guard content.count == 4 * count else {
            throw Zstd.Failure(description: "\(content.count) bytes of token ids where \(4 * count) belong")
        }

        var reader = ByteReader(isShuffled ? ByteShuffle.unshuffled(content, width: 4) : content)
        return (0..<count).map { _ in Int32(bitPattern: reader.littleEndian32() ?? 0) }
    }
}
