import Foundation
import JSON

/// One JSON object as bytes, member by member: exports have tens of millions of numbers, for which a tree of values
/// would take too long.
struct JSONLine {
    /// The object so far, without the brace at its end.
    private var text: [UInt8] = [UInt8(ascii: "{")]

    /// The whole object.
    var bytes: [UInt8] { text + [UInt8(ascii: "}")] }

    private mutating func begin(_ name: StaticString) {
        if text.count > 1 { text.append(UInt8(ascii: ",")) }
        text.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { text += $0 }
        text += "\":".utf8
    }

    /// Adds a value.
    mutating func add(_ name: StaticString, _ value: JSONValue) {
        begin(name)
        text += JSONWriter.canonical.bytes(value)
    }

    /// Adds a text.
    mutating func add(_ name: StaticString, _ value: String) { add(name, .string(value)) }

    /// Adds a number as `append(_:to:)` spells it.
    mutating func add(_ name: StaticString, rounded value: Double) {
        begin(name)
        Self.append(value, to: &text)
    }

    /// Adds an array of numbers as `append(_:to:)` spells them.
    mutating func add(_ name: StaticString, rounded values: some Collection<Double>) {
        addArray(name, values) { Self.append($0, to: &$1) }
    }

    /// Adds an array of whole numbers.
    mutating func add(_ name: StaticString, _ values: [Int]) {
        addArray(name, values) { $1 += $0.description.utf8 }
    }

    /// Adds an array of values whose JSON is known.
    mutating func add(_ name: StaticString, spelled values: some Collection<[UInt8]>) {
        addArray(name, values) { $1 += $0 }
    }

    private mutating func addArray<Value>(
        _ name: StaticString, _ values: some Collection<Value>, _ append: (Value, inout [UInt8]) -> Void
    ) {
        begin(name)
        text.append(UInt8(ascii: "["))
        var isFirst = true
        for value in values {
            if !isFirst { text.append(UInt8(ascii: ",")) }
            isFirst = false
            append(value, &text)
        }
        text.append(UInt8(ascii: "]"))
    }

    /// Appends a number with four digits after the point, and of numbers below 1 with four digits that count; what is not
    /// finite as 0.
    static func append(_ value: Double, to text: inout [UInt8]) {
        guard value != 0, value.isFinite else {
            text.append(UInt8(ascii: "0"))
            return
        }
        let size = abs(value)
        guard size < 1e9, size > 1e-30 else {
            text += value.description.utf8
            return
        }
        var scale = 1e4
        var scaled = size * scale
        while scaled < 1000 {
            scale *= 10
            scaled = size * scale
        }
        let rounded = scaled.rounded() / scale
        text += (value < 0 ? -rounded : rounded).description.utf8
    }
}
