/// The printable characters that represent bytes in byte-level vocabularies.
///
/// Bytes that are printable in Latin-1 stand for themselves; the others are given the characters from U+0100 on, in order
/// (`bytes_to_unicode` in `src/encoder.py` of github.com/openai/gpt-2).
enum ByteLevelAlphabet {
    /// The byte that each of the scalars below U+0144 stands for, -1 where there is none.
    private static let byteOfScalar: [Int16] = {
        var table = [Int16](repeating: -1, count: 0x144)
        var next = 0x100
        for byte in 0..<0x100 {
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF:
                table[byte] = Int16(byte)
            default:
                table[next] = Int16(byte)
                next += 1
            }
        }
        return table
    }()

    /// Appends the bytes that a token stands for.
    ///
    /// - Returns: false if a character of the token stands for no byte; some of the bytes may then have been appended.
    static func append(_ token: some Sequence<Unicode.Scalar>, to bytes: inout [UInt8]) -> Bool {
        for scalar in token {
            guard scalar.value < 0x144, case let byte = byteOfScalar[Int(scalar.value)], byte >= 0 else { return false }
            bytes.append(UInt8(byte))
        }
        return true
    }

    /// The UTF-8 of the character that stands for each byte.
    private static let written: [[UInt8]] = {
        var table = [[UInt8]](repeating: [], count: 0x100)
        for (scalar, byte) in byteOfScalar.enumerated() where byte >= 0 {
            table[Int(byte)] = Unicode.Scalar(UInt32(scalar)).map { Array(String($0).utf8) } ?? []
        }
        return table
    }()

    /// Bytes written as the characters that stand for them, in UTF-8.
    static func written(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        for byte in bytes { result.append(contentsOf: written[Int(byte)]) }
        return result
    }

    /// The bytes that a token stands for, nil if a character of it stands for none.
    static func bytes(of token: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(token.utf8.count)
        return append(token.unicodeScalars, to: &bytes) ? bytes : nil
    }
}
