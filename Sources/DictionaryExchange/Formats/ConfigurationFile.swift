import JSON
import Safetensors

/// A JSON object in another program's configuration file, or one inside it; its errors name file and key.
///
/// `null` and a missing key are the same. JSON is read by the strict rules, so a repeated key or `NaN` is an error.
struct ConfigurationFile {
    /// The file.
    let path: String
    /// The keys above this object, each with a dot behind it.
    private let prefix: String
    /// Its members.
    let values: JSONObject

    /// The longest string, and the largest detail that is kept, in bytes.
    private static let largestDetail = 4096
    /// The most details that are kept.
    private static let mostDetails = 256

    /// The largest file accepted.
    static let maximumBytes = 16 << 20

    /// Reads a file.
    ///
    /// - Throws: `.missing`; `.malformed` for a file that is too large or no JSON object.
    init(path: String) throws(ForeignDictionaryError) {
        let bytes: [UInt8]
        do throws(SafetensorsError) {
            let file = try ReadableFile(path: path)
            guard file.byteCount <= Self.maximumBytes else {
                throw SafetensorsError.unreadable(
                    path: path, reason: "\(file.byteCount) bytes; expected a configuration of at most 16 MiB")
            }
            bytes = try file.bytes(0..<file.byteCount)
        } catch {
            if case .missing = error { throw ForeignDictionaryError(.missing, path, "no such file") }
            if case .unreadable(_, let reason) = error {
                throw ForeignDictionaryError(.malformed, path, "cannot be read: \(reason)")
            }
            throw ForeignDictionaryError(.malformed, path, "cannot be read")
        }
        let value: JSONValue
        do throws(JSONProblem) {
            value = try bytes.withUnsafeBufferPointer { bytes throws(JSONProblem) in try JSONParser.parse(bytes) }
        } catch {
            throw ForeignDictionaryError(
                .malformed, path, "not valid JSON at byte \(error.offset): expected \(error.expected); \(error.reason)")
        }
        guard case .object(let values) = value else {
            throw ForeignDictionaryError(.malformed, path, "expected a JSON object, found \(value.kind)")
        }
        self.init(path: path, prefix: "", values: values)
    }

    private init(path: String, prefix: String, values: JSONObject) {
        (self.path, self.prefix, self.values) = (path, prefix, values)
    }

    /// The value of a key; nil if it is missing or `null`.
    subscript(key: String) -> JSONValue? {
        let value = values[key]
        return value == .null ? nil : value
    }

    /// A key with those above it, for messages.
    func name(of key: String) -> String { prefix + key }

    /// The error that a key has another value than expected.
    func wrong(_ key: String, expected: String, found: String? = nil) -> ForeignDictionaryError {
        let found = found ?? self[key].map(Self.shown) ?? "none"
        return ForeignDictionaryError(
            .malformed, path, "key \((prefix + key).quoted): expected \(expected), found \(found)")
    }

    /// The error that a key has a value which cannot be represented here.
    func refused(_ key: String, _ reason: String) -> ForeignDictionaryError {
        let found = self[key].map(Self.shown) ?? "none"
        return ForeignDictionaryError(.refused, path, "key \((prefix + key).quoted) is \(found): \(reason)")
    }

    /// A string of at most 4096 bytes.
    ///
    /// - Throws: `.malformed` for a longer one or another kind of value, as the following.
    func text(_ key: String) throws(ForeignDictionaryError) -> String? {
        guard let value = self[key] else { return nil }
        guard case .string(let text) = value, text.utf8.count <= Self.largestDetail else {
            throw wrong(key, expected: "a string of at most \(Self.largestDetail) bytes")
        }
        return text
    }

    /// A boolean.
    func flag(_ key: String) throws(ForeignDictionaryError) -> Bool? {
        guard let value = self[key] else { return nil }
        guard case .boolean(let flag) = value else { throw wrong(key, expected: "true or false") }
        return flag
    }

    /// A whole number in any spelling, such as 16 or 16.0.
    func whole(_ key: String) throws(ForeignDictionaryError) -> Int? {
        guard let value = self[key] else { return nil }
        guard let number = value.wholeNumber else { throw wrong(key, expected: "a whole number") }
        return number
    }

    /// A number.
    func number(_ key: String) throws(ForeignDictionaryError) -> Double? {
        guard let value = self[key] else { return nil }
        guard let number = value.double else { throw wrong(key, expected: "a number") }
        return number
    }

    /// A whole number that must be there, in the range of an extent.
    func extent(_ key: String) throws(ForeignDictionaryError) -> Int {
        guard let number = try whole(key), (1...16_777_216).contains(number) else {
            throw wrong(key, expected: "a whole number from 1 to 16777216")
        }
        return number
    }

    /// An object inside this one; its errors name the keys above it.
    func object(_ key: String) throws(ForeignDictionaryError) -> ConfigurationFile? {
        guard let value = self[key] else { return nil }
        guard case .object(let values) = value else { throw wrong(key, expected: "an object") }
        return ConfigurationFile(path: path, prefix: prefix + key + ".", values: values)
    }

    /// The first members that are neither `null` nor among those named nor large, for a record.
    func details(besides known: Set<String>) -> [JSONObject.Member] {
        let kept = values.members.lazy.filter {
            !known.contains($0.name) && $0.value != .null && Self.size($0.value) <= Self.largestDetail
        }
        return Array(kept.prefix(Self.mostDetails))
    }

    /// A remark on keys that are not among those known; nil without any.
    func remark(onKeysBesides known: Set<String>) -> String? {
        let unknown = values.members.map(\.name).filter { !known.contains($0) }
        guard !unknown.isEmpty else { return nil }
        let rest = unknown.count > 8 ? " and \(unknown.count - 8) more" : ""
        let shown = unknown.prefix(8).map { (prefix + $0).quoted }.joined(separator: ", ")
        return "\(path): keys that are not known here and have no effect: \(shown)\(rest)"
    }

    /// A value for a message.
    static func shown(_ value: JSONValue) -> String {
        switch value {
        case .null, .array, .object: value.kind
        case .boolean(let flag): "\(flag)"
        case .integer(let number): "\(number)"
        case .unsigned(let number): "\(number)"
        case .number(let number): "\(number)"
        case .string(let text): text.quoted
        }
    }

    /// About how many bytes a value takes as text. The parser bounds the depth.
    private static func size(_ value: JSONValue) -> Int {
        switch value {
        case .string(let text): text.utf8.count + 2
        case .array(let elements): elements.reduce(2) { $0 + size($1) + 1 }
        case .object(let object): object.members.reduce(2) { $0 + $1.name.utf8.count + size($1.value) + 4 }
        default: 8
        }
    }
}

extension JSONObject {
    /// Adds members whose names are not taken yet.
    mutating func add(_ others: [Member]) {
        let taken = Set(members.map(\.name))
        members += others.filter { !taken.contains($0.name) }
    }
}
