/// Encodes values as bytes so that different values never give the same ones, for a digest.
struct CanonicalStream {
    private static let blockByteCount = 1 << 16

    private var hash = SHA256Digest()
    private var writer = ByteWriter()

    mutating func begin(_ section: String) {
        writer.append(0x10)
        append(Array(section.utf8))
    }

    mutating func beginRow() {
        writer.append(0x11)
        if writer.bytes.count >= Self.blockByteCount { flush() }
    }

    mutating func add(_ value: CatalogValue) {
        switch value {
        case .null: writer.append(0)
        case .integer(let integer):
            writer.append(1)
            append(UInt64(bitPattern: integer))
        case .real(let real):
            writer.append(2)
            append(real.bitPattern)
        case .text(let text):
            writer.append(3)
            append(Array(text.utf8))
        case .blob(let bytes):
            writer.append(4)
            append(bytes)
        }
    }

    mutating func digest() -> String {
        flush()
        return hash.hexadecimal()
    }

    private mutating func append(_ bytes: [UInt8]) {
        writer.append(varint: bytes.count)
        flush()
        hash.update(bytes)
    }

    private mutating func append(_ bits: UInt64) {
        writer.append(littleEndian: UInt32(truncatingIfNeeded: bits))
        writer.append(littleEndian: UInt32(truncatingIfNeeded: bits >> 32))
    }

    private mutating func flush() {
        hash.update(writer.bytes)
        writer = ByteWriter()
    }
}
