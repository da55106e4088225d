import Crypto

/// The digest of a set of rows: the sum of their SHA-256, as little-endian 256-bit numbers, modulo 2²⁵⁶.
/// An added row is added, a deleted one subtracted.
struct RowSum: Equatable {
    /// Number of rows; negative after more deletions than insertions.
    private(set) var rowCount = 0
    /// The lowest 64 bits first.
    private var words = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))

    static func == (one: RowSum, other: RowSum) -> Bool { one.rowCount == other.rowCount && one.words == other.words }

    var isZero: Bool { self == RowSum() }

    /// - Parameter bytes: A row: the table's name, a zero byte, and its values as `sqlite_rows.h` describes.
    mutating func add(row bytes: UnsafeRawBufferPointer) { add(Self.number(bytes), rows: 1) }

    mutating func subtract(row bytes: UnsafeRawBufferPointer) { add(Self.negated(Self.number(bytes)), rows: -1) }

    static func += (sum: inout RowSum, other: RowSum) { sum.add(other.words, rows: other.rowCount) }

    static func -= (sum: inout RowSum, other: RowSum) { sum.add(negated(other.words), rows: -other.rowCount) }

    private typealias Words = (UInt64, UInt64, UInt64, UInt64)

    private mutating func add(_ other: Words, rows: Int) {
        rowCount &+= rows
        var carry = false
        func sum(_ one: UInt64, _ two: UInt64) -> UInt64 {
            let (partial, first) = one.addingReportingOverflow(two)
            let (whole, second) = partial.addingReportingOverflow(carry ? 1 : 0)
            carry = first || second
            return whole
        }
        words.0 = sum(words.0, other.0)
        words.1 = sum(words.1, other.1)
        words.2 = sum(words.2, other.2)
        words.3 = sum(words.3, other.3)
    }

    private static func number(_ bytes: UnsafeRawBufferPointer) -> Words {
        var hash = SHA256()
        hash.update(bufferPointer: bytes)
        return hash.finalize().withUnsafeBytes { $0.loadUnaligned(as: Words.self) }
    }

    private static func negated(_ words: Words) -> Words {
        var sum = RowSum()
        sum.words = (~words.0, ~words.1, ~words.2, ~words.3)
        sum.add((1, 0, 0, 0), rows: 0)
        return sum.words
    }
}

extension RowSum {
    /// The sum in lower-case hexadecimal, the highest digit first.
    var hexadecimal: String {
        [words.3, words.2, words.1, words.0].map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    /// What `table_digest` holds; nil if it is not of that form.
    init?(rowCount: Int, hexadecimal: String) {
        let digits = Array(hexadecimal.utf8)
        guard digits.count == 64 else { return nil }
        var words: [UInt64] = []
        for start in stride(from: 48, through: 0, by: -16) {
            guard let word = UInt64(String(decoding: digits[start..<start + 16], as: UTF8.self), radix: 16) else {
                return nil
            }
            words.append(word)
        }
        self.rowCount = rowCount
        self.words = (words[0], words[1], words[2], words[3])
    }
}
