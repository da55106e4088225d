import Crypto

/// The 32 bytes before a block's rows: what follows, and how much of it.
struct StreamFrame: Equatable {
    /// What a frame begins.
    enum Kind: String {
        /// A block of rows.
        case rows = "ROWS"
        /// The end of a whole stream; no rows follow.
        case done = "DONE"
    }

    let kind: Kind
    /// The block's number in the whole text: its first row divided by a block's rows. At the end the next one.
    let sequence: Int
    /// Rows of the block; at the end the rows of the whole text.
    let rows: Int
    /// Bytes of the rows that follow.
    let byteCount: Int

    /// Bytes of a frame.
    static let length = 32
    /// Bytes of the checksum behind the rows: SHA-256 of frame and rows.
    static let checksumLength = 32

    init(kind: Kind, sequence: Int, rows: Int, byteCount: Int) {
        (self.kind, self.sequence, self.rows, self.byteCount) = (kind, sequence, rows, byteCount)
    }

    /// Reads a frame; nil for bytes that are none, or a number beyond 62 bits.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.length,
            let kind = Kind(rawValue: String(decoding: bytes[..<4], as: UTF8.self)),
            bytes[4..<8].allSatisfy({ $0 == 0 })
        else { return nil }
        let numbers = (1...3).map { place in
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * place, as: UInt64.self))
        }
        guard numbers.allSatisfy({ $0 < 1 << 62 }) else { return nil }
        self.init(kind: kind, sequence: Int(numbers[0]), rows: Int(numbers[1]), byteCount: Int(numbers[2]))
    }

    /// Its bytes: four of the kind, four zeros, three little-endian numbers of 64 bits.
    var bytes: [UInt8] {
        var bytes = Array(kind.rawValue.utf8) + [0, 0, 0, 0]
        for number in [sequence, rows, byteCount] {
            withUnsafeBytes(of: UInt64(number).littleEndian) { bytes += $0 }
        }
        return bytes
    }

    /// The checksum of a block, whose frame and rows these pieces are.
    static func checksum(_ pieces: [UnsafeRawBufferPointer]) -> [UInt8] {
        var hash = SHA256()
        for piece in pieces { hash.update(bufferPointer: piece) }
        return Array(hash.finalize())
    }
}
