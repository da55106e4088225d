import Crypto
import Foundation

/// A running digest of texts in the order read: the SHA-256 of each text is hashed with that of the texts before it.
struct TextReadDigest: Equatable {
    private var words: [UInt64] = [0, 0, 0, 0]

    private static let names = (0..<4).map { "text_read_\($0)" }

    /// The digest of no text.
    init() {}

    /// The digest stored in a stream's position; nil if it has none.
    init?(_ numbers: [String: UInt64]) {
        let words = TextReadDigest.names.compactMap { numbers[$0] }
        guard words.count == 4 else { return nil }
        self.words = words
    }

    /// Adds a text.
    mutating func add(_ text: String) {
        var hash = SHA256()
        words.withUnsafeBytes { hash.update(bufferPointer: $0) }
        var text = text
        text.withUTF8 { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        var bytes = Array(hash.finalize())[...]
        words = (0..<4).map { _ in
            defer { bytes = bytes.dropFirst(8) }
            return bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        }
    }

    /// The digest as numbers of a stream's position.
    var numbers: [String: UInt64] { Dictionary(uniqueKeysWithValues: zip(TextReadDigest.names, words)) }
}
