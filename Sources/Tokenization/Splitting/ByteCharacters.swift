/// The characters that stand for bytes behind `ByteLevel`, as the steps behind it see them.
enum ByteCharacters {
    /// The UTF-8 of the character of each byte.
    private static let characters: [[UInt8]] = {
        var table = [[UInt8]](repeating: [], count: 256)
        for scalar in (UInt32(0)..<0x144).compactMap(Unicode.Scalar.init) {
            guard let byte = ByteLevelAlphabet.bytes(of: String(scalar))?.first else { continue }
            table[Int(byte)] = Array(String(scalar).utf8)
        }
        return table
    }()

    /// Calls `body` with the characters of bytes.
    static func withCharacters(
        of bytes: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) {
        guard !areTheirCharacters(bytes) else { return body(bytes) }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count * 2)
        for byte in bytes { result += characters[Int(byte)] }
        result.withUnsafeBufferPointer(body)
    }

    /// Calls `body` with the bytes that characters stand for; others are left out.
    static func withBytes(of text: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        guard !areTheirCharacters(text) else { return body(text) }
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            _ = ByteLevelAlphabet.append(CollectionOfOne(scalar), to: &result)
        }
        result.withUnsafeBufferPointer(body)
    }

    /// The visible ASCII characters stand for themselves.
    private static func areTheirCharacters(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        bytes.allSatisfy { (0x21...0x7E).contains($0) }
    }
}
