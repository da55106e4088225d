extension JSONParser {
    /// A number, whose first character comes next.
    mutating func number() throws(JSONProblem) -> JSONValue {
        let start = position
        let isNegative = take("-")
        let first = position
        var magnitude: UInt64 = 0
        var isInteger = true
        try digits { digit in
            let (scaled, overflowed) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carried) = scaled.addingReportingOverflow(digit)
            magnitude = sum
            if overflowed || carried { isInteger = false }
        }
        guard bytes[first] != UInt8(ascii: "0") || position == first + 1 else { throw problem(.leadingZero, at: first) }
        if take(".") {
            isInteger = false
            try digits { _ in }
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            isInteger = false
            if !take("+") { _ = take("-") }
            try digits { _ in }
        }

        if isInteger {
            if !isNegative { return JSONValue(magnitude) }
            if magnitude <= Int.min.magnitude { return .integer(Int(truncatingIfNeeded: 0 &- magnitude)) }
        }
        let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
        let value = Double(text) ?? .infinity
        guard value.isFinite || rules.takesInfiniteNumbers else { throw problem(.numberOutOfRange, at: start) }
        return .number(value)
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    /// At least one digit.
    private mutating func digits(_ body: (UInt64) -> Void) throws(JSONProblem) {
        let start = position
        while position < bytes.count, case let byte = bytes[position], (0x30...0x39).contains(byte) {
            body(UInt64(byte - 0x30))
            position += 1
        }
        guard position > start else { throw problem(.noDigit) }
    }
}
