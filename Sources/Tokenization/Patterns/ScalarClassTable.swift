/// The classes of a program as bitmaps of the scalars below U+10000; those above are looked up in their ranges.
struct ScalarClassTable: Sendable {
    private(set) var sets: [ScalarSet] = []
    /// 1024 words for each class.
    private(set) var bits: [UInt64] = []

    static let wordsPerClass = 1 << 10

    /// The number of a class, which is added if there is none like it.
    mutating func index(of set: ScalarSet) -> Int {
        if let index = sets.firstIndex(of: set) { return index }
        sets.append(set)
        var words = [UInt64](repeating: 0, count: Self.wordsPerClass)
        for range in set.ranges where range.lowerBound < 0x10000 {
            for scalar in range.lowerBound...min(range.upperBound, 0xFFFF) {
                words[Int(scalar >> 6)] |= 1 << UInt64(scalar & 63)
            }
        }
        bits += words
        return sets.count - 1
    }
}

extension ScalarSet {
    /// The bytes that begin the UTF-8 of its scalars.
    var firstBytes: ByteSet {
        var bytes = ByteSet()
        for range in ranges {
            for byte in Self.firstByte(of: range.lowerBound)...Self.firstByte(of: range.upperBound) {
                bytes.insert(byte)
            }
        }
        return bytes
    }

    private static func firstByte(of scalar: UInt32) -> UInt8 {
        switch scalar {
        case ..<0x80: UInt8(scalar)
        case ..<0x800: UInt8(0xC0 | scalar >> 6)
        case ..<0x10000: UInt8(0xE0 | scalar >> 12)
        default: UInt8(0xF0 | scalar >> 18)
        }
    }
}
