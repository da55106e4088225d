package import Foundation

/// The reader of JSON (RFC 8259): any bytes give a value or a `JSONProblem`, and nothing traps.
///
/// Integers are kept exactly, members in their order. Invalid UTF-8 and lone surrogates are always refused; other
/// leniencies are set by `JSONRules`.
package struct JSONParser {
    let bytes: UnsafeBufferPointer<UInt8>
    let rules: JSONRules
    var position = 0
    /// The number of open arrays and objects.
    private var depth = 0

    /// Reads a text that holds one value and nothing else.
    package static func parse(
        _ bytes: UnsafeBufferPointer<UInt8>, rules: JSONRules = .strict
    ) throws(JSONProblem) -> JSONValue {
        var parser = JSONParser(bytes, rules)
        if rules.ignoresByteOrderMark, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { parser.position = 3 }
        let value = try parser.value()
        guard parser.peek() == nil else { throw parser.problem(.textAfterEnd) }
        return value
    }

    /// Reads a text that holds one value and nothing else.
    package static func parse(_ text: Data, rules: JSONRules = .strict) throws(JSONProblem) -> JSONValue {
        try [UInt8](text).withUnsafeBufferPointer { bytes throws(JSONProblem) in try parse(bytes, rules: rules) }
    }

    private init(_ bytes: UnsafeBufferPointer<UInt8>, _ rules: JSONRules) {
        self.bytes = bytes
        self.rules = rules
    }

    func problem(_ rule: JSONProblem.Rule, at offset: Int? = nil) -> JSONProblem {
        JSONProblem(rule: rule, offset: offset ?? position)
    }

    /// The next byte that is not white space, not consumed; nil at the end.
    private mutating func peek() -> UInt8? {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            case let byte: return byte
            }
        }
        return nil
    }

    /// Consumes a character if it comes next after white space.
    private mutating func accept(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func value() throws(JSONProblem) -> JSONValue {
        switch peek() {
        case UInt8(ascii: "{"): return .object(JSONObject(try members()))
        case UInt8(ascii: "["): return .array(try elements())
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): return try number()
        case nil: throw problem(.endsEarly)
        default:
            if accept(word: "true") { return .boolean(true) }
            if accept(word: "false") { return .boolean(false) }
            if accept(word: "null") { return .null }
            throw problem(.noValue)
        }
    }

    private mutating func accept(word: StaticString) -> Bool {
        let end = position + word.utf8CodeUnitCount
        guard end <= bytes.count else { return false }
        let ignoresCase = rules.ignoresCaseOfWords
        let isThere = word.withUTF8Buffer { word in
            bytes[position..<end].elementsEqual(word) { $0 == $1 || ignoresCase && $0 &+ 0x20 == $1 }
        }
        if isThere { position = end }
        return isThere
    }

    /// Takes the bracket that comes next.
    private mutating func open() throws(JSONProblem) {
        guard depth < rules.maximumDepth else { throw problem(.nestedTooDeeply(levels: rules.maximumDepth)) }
        position += 1
        depth += 1
    }

    private mutating func members() throws(JSONProblem) -> [JSONObject.Member] {
        try open()
        defer { depth -= 1 }
        if accept("}") { return [] }
        var members: [JSONObject.Member] = []
        /// Indices by the bytes of names, since canonically equivalent names differ.
        var places: [[UInt8]: Int] = [:]
        repeat {
            guard peek() == UInt8(ascii: "\"") else { throw problem(.noName) }
            let start = position
            let name = try string()
            let earlier = places.updateValue(members.count, forKey: Array(name.utf8))
            guard earlier == nil || rules.takesRepeatedNames else { throw problem(.repeatedName(name), at: start) }
            guard accept(":") else { throw problem(.noColon) }
            let value = try value()
            if let earlier {
                places[Array(name.utf8)] = earlier
                members[earlier].value = value
            } else {
                members.append(JSONObject.Member(name: name, value: value))
            }
        } while accept(",")
        guard accept("}") else { throw problem(.openObject) }
        return members
    }

    private mutating func elements() throws(JSONProblem) -> [JSONValue] {
        try open()
        defer { depth -= 1 }
        if accept("]") { return [] }
        var elements: [JSONValue] = []
        repeat { elements.append(try value()) } while accept(",")
        guard accept("]") else { throw problem(.openArray) }
        return elements
    }
}
