import Glibc

/// Counts the invalid bytes of a file in one pass.
struct TextFaults {
    /// Bytes invalid in the file's encoding, and halves of surrogate pairs in a record's escapes.
    private(set) var invalid = 0
    /// The position of the first of them, for messages.
    private(set) var first = ""
    /// Zero bytes of a UTF-8 file that is otherwise text.
    private(set) var zeros = 0
    /// Valid characters beyond ASCII.
    private(set) var multibyte = 0
    /// Whether there is only white space.
    private(set) var isBlank = true

    /// Faults tolerated with a warning in any file.
    static let few = 8
    /// Faults tolerated: one in so many bytes.
    static let share = 10_000

    /// The most faults tolerated in a text of a given length.
    static func most(ofBytes bytes: Int) -> Int { max(few, bytes / share) }

    /// Adds faults found elsewhere.
    mutating func note(invalid count: Int, at place: @autoclosure () -> String) {
        guard count > 0 else { return }
        if invalid == 0 { first = place() }
        invalid += count
    }

    /// Scans bytes of UTF-8.
    ///
    /// - Parameters:
    ///   - isLast: whether nothing follows; otherwise an incomplete character at the end is left.
    ///   - countsZeros: whether zero bytes are faults; in a record's escapes they are not.
    ///   - place: describes the position of a byte of these, for messages.
    /// - Returns: how many bytes are scanned.
    @discardableResult
    mutating func scan(
        utf8 bytes: UnsafeRawBufferPointer, isLast: Bool, countsZeros: Bool, place: (_ offset: Int) -> String
    ) -> Int {
        var position = 0
        while position < bytes.count {
            if !isBlank, position + 8 <= bytes.count {
                let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
                // No byte above 127, and none that is zero.
                if (word | (word &- 0x0101_0101_0101_0101)) & 0x8080_8080_8080_8080 == 0 {
                    position += 8
                    continue
                }
            }

            let byte = bytes[position]
            if byte < 0x80 {
                if byte == 0, countsZeros { zeros += 1 }
                if byte != 0x20, !(0x09...0x0D).contains(byte) { isBlank = false }
                position += 1
                continue
            }
            isBlank = false
            let (length, isWhole) = TextFaults.character(in: bytes, at: position)
            if isWhole {
                multibyte += 1
            } else {
                // An incomplete character that may continue in what follows.
                if !isLast, position + length == bytes.count, length < 4, byte >= 0xC2 { return position }
                note(invalid: length, at: place(position))
            }
            position += length
        }
        return position
    }

    /// The bytes of a character beyond ASCII, or of an invalid sequence, divided as in Unicode's chapter 3.9.
    private static func character(
        in bytes: UnsafeRawBufferPointer, at start: Int
    ) -> (length: Int, isWhole: Bool) {
        let lead = bytes[start]
        let (length, low, high): (Int, UInt8, UInt8)
        switch lead {
        case 0xC2...0xDF: (length, low, high) = (2, 0x80, 0xBF)
        case 0xE0: (length, low, high) = (3, 0xA0, 0xBF)
        case 0xED: (length, low, high) = (3, 0x80, 0x9F)
        case 0xE1...0xEF: (length, low, high) = (3, 0x80, 0xBF)
        case 0xF0: (length, low, high) = (4, 0x90, 0xBF)
        case 0xF4: (length, low, high) = (4, 0x80, 0x8F)
        case 0xF1...0xF3: (length, low, high) = (4, 0x80, 0xBF)
        default: return (1, false)
        }
        for place in 1..<length {
            guard start + place < bytes.count else { return (place, false) }
            let byte = bytes[start + place]
            guard place == 1 ? (low...high).contains(byte) : (0x80...0xBF).contains(byte) else { return (place, false) }
        }
        return (length, true)
    }

    /// Refuses a file with more than a few faults.
    ///
    /// - Throws: `WorkflowError.badInput` with their number, the position of the first and a remedy.
    func check(path: String, bytes: Int) throws(WorkflowError) {
        let most = TextFaults.most(ofBytes: bytes)
        guard zeros <= most else {
            throw .badInput(
                path: path,
                problem:
                    "holds \(zeros) zero bytes; it is either no text, or UTF-16 without a byte-order mark, which is "
                    + "read once it is saved as UTF-8")
        }
        guard invalid <= most else {
            throw .badInput(
                path: path,
                problem:
                    "\(invalid) of its \(bytes) bytes are no text of its encoding, the first at \(first); \(remedy)")
        }
    }

    /// The remedy for the faults, for the message.
    var remedy: String {
        multibyte < invalid
            ? "save it as UTF-8 (one from Windows, say: iconv -f WINDOWS-1252 -t UTF-8)" : "save it as UTF-8"
    }
}
