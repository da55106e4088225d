import Foundation

/// The encoding of a text file: given by its byte-order mark, UTF-8 without one.
enum TextEncoding: Equatable {
    case utf8
    case utf16(isBigEndian: Bool)
    case utf32(isBigEndian: Bool)

    /// The encoding given by a file's first bytes, and the length of the mark.
    static func marked(_ start: UnsafeRawBufferPointer) -> (encoding: TextEncoding, mark: Int) {
        // UTF-32's little-endian mark begins with that of UTF-16.
        if start.starts(with: [0xFF, 0xFE, 0, 0]) { return (.utf32(isBigEndian: false), 4) }
        if start.starts(with: [0, 0, 0xFE, 0xFF]) { return (.utf32(isBigEndian: true), 4) }
        if start.starts(with: [0xFF, 0xFE]) { return (.utf16(isBigEndian: false), 2) }
        if start.starts(with: [0xFE, 0xFF]) { return (.utf16(isBigEndian: true), 2) }
        return (.utf8, start.starts(with: TextEncoding.utf8Mark) ? 3 : 0)
    }

    static let utf8Mark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// Bytes of a code unit.
    var unitWidth: Int {
        switch self {
        case .utf8: 1
        case .utf16: 2
        case .utf32: 4
        }
    }

    /// The byte offset of the first line feed.
    func lineFeed(in bytes: UnsafeRawBufferPointer) -> Int? {
        guard unitWidth > 1 else {
            guard let base = bytes.baseAddress, let found = memchr(base, 0x0A, bytes.count) else { return nil }
            return UnsafeRawPointer(found) - base
        }
        return stride(from: 0, to: bytes.count - unitWidth + 1, by: unitWidth).first { unit(at: $0, of: bytes) == 0x0A }
    }

    /// A code unit.
    private func unit(at offset: Int, of bytes: UnsafeRawBufferPointer) -> UInt32 {
        switch self {
        case .utf8: return UInt32(bytes[offset])
        case .utf16(let isBigEndian):
            let unit = bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
            return UInt32(isBigEndian ? UInt16(bigEndian: unit) : UInt16(littleEndian: unit))
        case .utf32(let isBigEndian):
            let unit = bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
            return isBigEndian ? UInt32(bigEndian: unit) : UInt32(littleEndian: unit)
        }
    }

    /// The text as valid UTF-8, with U+FFFD for invalid bytes.
    ///
    /// - Returns: the bytes of UTF-8; how many of `bytes` are invalid, and the offset of the first.
    func utf8(of bytes: UnsafeRawBufferPointer) -> (text: [UInt8], invalid: Int, first: Int?) {
        var text: [UInt8] = []
        text.reserveCapacity(self == .utf8 ? bytes.count : bytes.count / unitWidth * 5 / 4)
        var (invalid, first) = (0, Int?.none)
        var offset = 0
        func put(_ scalar: Unicode.Scalar?, _ width: Int) {
            if scalar == nil {
                invalid += width
                first = first ?? offset
            }
            text.append(contentsOf: UTF8.encode(scalar ?? "\u{FFFD}").unsafelyUnwrapped)
            offset += width
        }
        while offset + unitWidth <= bytes.count {
            let unit = unit(at: offset, of: bytes)
            let isPair =
                unitWidth == 2 && unit & 0xFC00 == 0xD800 && offset + 4 <= bytes.count
                && self.unit(at: offset + 2, of: bytes) & 0xFC00 == 0xDC00
            if isPair {
                let low = self.unit(at: offset + 2, of: bytes)
                put(Unicode.Scalar(0x10000 + (unit & 0x3FF) << 10 + low & 0x3FF), 4)
            } else {
                put(Unicode.Scalar(unit), unitWidth)
            }
        }
        if offset < bytes.count { put(nil, bytes.count - offset) }
        return (text, invalid, first)
    }
}
