internal import Foundation

/// The character map of a SentencePiece model (`precompiled_charsmap`): texts with their replacements.
///
/// The map is a 32-bit size, a double-array trie of that many bytes, and the replacements, each ending with a zero byte
/// (`src/builder.cc` of github.com/google/sentencepiece). The units of the trie are those of Darts-clone: bits 0 to 7 and
/// 31 are the label, bit 8 tells that a value follows, bits 10 to 30 are the offset to the children, times 256 if bit 9
/// is set; in a unit with a value bits 0 to 30 are the value.
struct PrecompiledCharacterMap: Sendable {
    private let units: [UInt32]
    /// All replacements, each ending with a zero byte or the end.
    private let replacements: [UInt8]
    /// What each ASCII character is replaced by; nil where it stays.
    private var ascii: [ArraySlice<UInt8>?] = []
    /// The bytes of the map.
    let bytes: [UInt8]

    /// Takes a map's bytes.
    ///
    /// - Returns: nil if they are no map.
    init?(bytes: [UInt8]) {
        guard bytes.count >= 4 else { return nil }
        func unit(at place: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << (8 * UInt32($1)) }
        }
        let count = Int(unit(at: 0)) / 4
        guard count > 0, count <= (bytes.count - 4) / 4 else { return nil }
        units = (1...count).map { unit(at: 4 * $0) }
        replacements = Array(bytes[(4 + 4 * count)...])
        guard String(validating: replacements, as: UTF8.self) != nil else { return nil }
        self.bytes = bytes
        ascii = (UInt8(0)..<0x80).map { replacement(of: [$0]) }
    }

    /// Reads a component of type `Precompiled`.
    ///
    /// - Throws: `.malformed`.
    init(_ element: JSONElement) throws(TokenizerError) {
        let text = try element.required("precompiled_charsmap")
        guard let decoded = Data(base64Encoded: try text.string()) else { throw text.malformed("it is not base 64") }
        guard let map = PrecompiledCharacterMap(bytes: Array(decoded)) else {
            throw text.malformed("it is not a character map of SentencePiece")
        }
        self = map
    }

    /// The text with its grapheme clusters replaced.
    ///
    /// A cluster of less than six bytes is replaced as a whole if a beginning of it is in the map, by what the shortest
    /// such beginning has; otherwise its scalars are looked up one by one (`tokenizers/src/normalizers/precompiled.rs`
    /// of github.com/huggingface/tokenizers).
    func applied(to text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var start = 0
        while start < text.count {
            // An ASCII character with another one behind it is a cluster, but for a line break of two.
            var end = start
            while end < text.count, !Self.isAlone(end, in: text) { end += 1 }
            // It ends the stretch too.
            if end < text.count, end > start { end += 1 }
            if end > start {
                for character in String(decoding: text[start..<end], as: UTF8.self) { append(character, to: &result) }
            } else {
                append(ascii: text[start], to: &result)
                end = start + 1
            }
            start = end
        }
        return result
    }

    /// Whether a byte and the one behind it, if there is one, are ASCII characters of two clusters.
    private static func isAlone(_ place: Int, in text: [UInt8]) -> Bool {
        guard text[place] < 0x80 else { return false }
        guard place + 1 < text.count else { return true }
        return text[place + 1] < 0x80 && !(text[place] == 0x0D && text[place + 1] == 0x0A)
    }

    private func append(ascii byte: UInt8, to result: inout [UInt8]) {
        if let replacement = ascii[Int(byte)] { result.append(contentsOf: replacement) } else { result.append(byte) }
    }

    private func append(_ character: Character, to result: inout [UInt8]) {
        let cluster = character.utf8
        if cluster.count < 6, let replacement = replacement(of: cluster) {
            result.append(contentsOf: replacement)
            return
        }
        for scalar in character.unicodeScalars {
            let bytes = UTF8.encode(scalar).map(Array.init) ?? []
            result.append(contentsOf: replacement(of: bytes) ?? bytes[...])
        }
    }

    /// What the shortest beginning of a text that is in the map is replaced by; nil if none is.
    private func replacement(of text: some Sequence<UInt8>) -> ArraySlice<UInt8>? {
        var node = Self.offset(units[0])
        for byte in text {
            guard byte != 0 else { return nil }
            node ^= Int(byte)
            guard node < units.count, units[node] & 0x8000_00FF == UInt32(byte) else { return nil }
            let unit = units[node]
            node ^= Self.offset(unit)
            guard unit & 0x100 != 0 else { continue }
            guard node < units.count else { return nil }
            let start = Int(units[node] & 0x7FFF_FFFF)
            // A replacement that begins inside a character would not be text.
            guard start < replacements.count, !UTF8.isContinuation(replacements[start]) else { return nil }
            return replacements[start...].prefix { $0 != 0 }
        }
        return nil
    }

    private static func offset(_ unit: UInt32) -> Int { Int(unit >> 10) << (unit & 0x200 == 0 ? 0 : 8) }
}
