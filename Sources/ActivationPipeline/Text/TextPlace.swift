import Crypto

/// The position of a document.
struct TextPlace: Sendable {
    /// The file's number in the corpus.
    let file: UInt32
    /// The line, from 1.
    let line: UInt32
    /// Its first byte, the file's byte-order mark not counted, and the one behind its last.
    let start: Int
    let end: Int
    /// The beginning of the SHA-256 of its bytes.
    let checksum: UInt64

    init(file: Int, line: Int, range: Range<Int>, checksum: UInt64) {
        self.file = UInt32(clamping: file)
        self.line = UInt32(clamping: line)
        start = range.lowerBound
        end = range.upperBound
        self.checksum = checksum
    }

    /// The beginning of a SHA-256.
    static func checksum(_ digest: SHA256.Digest) -> UInt64 {
        digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
