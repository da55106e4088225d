/// Parses the few literals of Python that the header of a .npy file has: texts without escapes, True and False, and
/// tuples of whole numbers. Nothing is evaluated, and nothing recurses.
struct PythonLiteralParser {
    private let text: [UInt8]
    private var position = 0

    init(_ text: [UInt8]) { self.text = text }

    /// The next byte that is not white space, not consumed; nil at the end.
    private mutating func peek() -> UInt8? {
        while position < text.count, [0x20, 0x0A].contains(text[position]) { position += 1 }
        return position < text.count ? text[position] : nil
    }

    private func fault(_ expected: String) -> NPYFault {
        NPYFault("has a header that is not NumPy's: expected \(expected) at byte \(position)")
    }

    /// Whether a list comes next.
    var startsList: Bool {
        mutating get { peek() == UInt8(ascii: "[") }
    }

    /// Consumes a character if it comes next.
    mutating func accept(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    /// Consumes a character.
    mutating func expect(_ character: Unicode.Scalar) throws(NPYFault) {
        guard accept(character) else { throw fault("'\(character)'") }
    }

    /// Checks that only white space is left.
    mutating func expectEnd() throws(NPYFault) {
        guard peek() == nil else { throw fault("the end") }
    }

    /// A text in either kind of quotation marks.
    mutating func string() throws(NPYFault) -> String {
        guard let mark = peek(), mark == UInt8(ascii: "'") || mark == UInt8(ascii: "\"") else { throw fault("a text") }
        position += 1
        let start = position
        while position < text.count, text[position] != mark {
            guard text[position] >= 0x20, text[position] != UInt8(ascii: "\\") else {
                throw fault("a text without escapes")
            }
            position += 1
        }
        guard position < text.count else { throw fault("the end of a text") }
        position += 1
        return String(decoding: text[start..<position - 1], as: UTF8.self)
    }

    /// True or False.
    mutating func boolean() throws(NPYFault) -> Bool {
        _ = peek()
        for (word, value) in [("True", true), ("False", false)] where text[position...].starts(with: word.utf8) {
            position += word.utf8.count
            return value
        }
        throw fault("True or False")
    }

    /// A tuple of whole numbers that are not negative.
    mutating func naturalNumbers() throws(NPYFault) -> [Int] {
        try expect("(")
        var numbers: [Int] = []
        while !accept(")") {
            guard numbers.count < StoredTensor.mostDimensions else {
                throw NPYFault("has more than \(StoredTensor.mostDimensions) dimensions")
            }
            numbers.append(try naturalNumber())
            if !accept(",") {
                guard numbers.count > 1 else { throw fault("','") }
                try expect(")")
                break
            }
        }
        return numbers
    }

    private mutating func naturalNumber() throws(NPYFault) -> Int {
        _ = peek()
        let start = position
        var value = 0
        while position < text.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[position]) {
            let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = scaled.addingReportingOverflow(Int(text[position] - UInt8(ascii: "0")))
            guard !overflow, !carry else { throw fault("a number below 2⁶³") }
            value = sum
            position += 1
        }
        guard position > start else { throw fault("a whole number") }
        return value
    }
}
