/// The CRC-32 of zip archives (reflected polynomial EDB88320), sixteen bytes at a time by tables.
struct CyclicRedundancyCheck {
    /// Bytes taken at a time.
    private static let stride = 16

    /// `tables[256 · k + byte]`: what a byte contributes that is followed by k zero bytes.
    private static let tables: [UInt32] = {
        var tables: [UInt32] = []
        for byte in UInt32(0)..<256 {
            var value = byte
            for _ in 0..<8 { value = value & 1 == 1 ? (value >> 1) ^ 0xEDB8_8320 : value >> 1 }
            tables.append(value)
        }
        for index in 256..<stride * 256 {
            let shorter = tables[index - 256]
            tables.append((shorter >> 8) ^ tables[Int(shorter & 0xFF)])
        }
        return tables
    }()

    private var state = UInt32.max

    /// The check of the bytes so far.
    var value: UInt32 { ~state }

    /// Adds bytes.
    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        state = Self.tables.withUnsafeBufferPointer { tables in
            guard let tables = tables.baseAddress else { return state }
            var state = state
            var offset = 0
            while offset &+ Self.stride <= bytes.count {
                let low = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                let high = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset &+ 8, as: UInt64.self))
                state = Self.lookUp(low ^ UInt64(state), tables + 8 * 256) ^ Self.lookUp(high, tables)
                offset &+= Self.stride
            }
            while offset < bytes.count {
                let index = UInt8(truncatingIfNeeded: state) ^ base.load(fromByteOffset: offset, as: UInt8.self)
                state = (state >> 8) ^ tables[Int(index)]
                offset &+= 1
            }
            return state
        }
    }

    /// What eight bytes contribute, the last of which is followed by as many zero bytes as the first of these tables is
    /// for.
    @inline(__always)
    private static func lookUp(_ word: UInt64, _ tables: UnsafePointer<UInt32>) -> UInt32 {
        @inline(__always)
        func part(_ byte: Int) -> UInt32 {
            tables[256 &* (7 &- byte) &+ Int(truncatingIfNeeded: (word &>> UInt64(8 &* byte)) & 0xFF)]
        }
        return part(0) ^ part(1) ^ part(2) ^ part(3) ^ part(4) ^ part(5) ^ part(6) ^ part(7)
    }
}
