internal import Foundation
import JSON
import Tokenization

/// The object in a `config.json`, or one nested in it; its errors name file and key.
struct ConfigurationDocument {
    /// The file, for messages.
    let path: String
    /// The key of the object in the file, with a dot at its end; empty for the file's own object.
    let prefix: String
    private let values: JSONObject

    /// The largest configuration accepted.
    static let maximumBytes = 16 << 20

    /// Reads a file.
    ///
    /// - Throws: `.missing`, `.unreadable`.
    init(path: String) throws(LanguageModelError) {
        // Caches of downloaded models are made of symbolic links.
        let target = URL(filePath: path).resolvingSymlinksInPath().path
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: target) else {
            throw .missing(path: path)
        }
        // A device or a pipe may never end.
        guard attributes[.type] as? FileAttributeType == .typeRegular else {
            throw .unreadable(path: path, reason: "it is not a regular file")
        }
        guard let handle = FileHandle(forReadingAtPath: target),
            let bytes = try? handle.read(upToCount: Self.maximumBytes + 1)
        else {
            throw .unreadable(path: path, reason: "the system refuses it, or it is empty")
        }
        guard bytes.count <= Self.maximumBytes else {
            throw .unreadable(path: path, reason: "it is larger than 16 MiB")
        }
        guard case .object(let values)? = try? JSONParser.parse(bytes, rules: .lenient) else {
            throw .unreadable(path: path, reason: "it is not a JSON object")
        }
        self.init(path: path, prefix: "", values: values)
    }

    init(path: String, prefix: String, values: JSONObject) {
        self.path = path
        self.prefix = prefix
        self.values = values
    }

    /// The value of a key; nil if it is missing or null.
    func value(_ key: String) -> JSONValue? {
        let value = values[key]
        return value == .null ? nil : value
    }

    /// Whether the key is there, if only with null.
    func mentions(_ key: String) -> Bool { values[key] != nil }

    /// The error that a value is not what is expected.
    func malformed(_ key: String, expected: String) -> LanguageModelError {
        .malformedConfiguration(
            path: path, key: prefix + key, found: values[key]?.excerpt ?? "missing", expected: expected)
    }

    /// The error that a value is understood and not supported.
    ///
    /// - Parameters:
    ///   - found: what is not supported, if it is a part of the value.
    ///   - reason: what the value stands for.
    func unsupported(
        _ key: String, found: String? = nil, supported: String, because reason: String? = nil
    ) -> LanguageModelError {
        let value = found.map { JSONValue.string($0).excerpt } ?? values[key]?.excerpt ?? "missing"
        return .unsupportedConfiguration(
            path: path, key: prefix + key, found: reason.map { "\(value), \($0)" } ?? value, supported: supported)
    }

    /// A whole number in a range; `fallback` if the key is missing or null, required if there is no fallback.
    func integer(
        _ key: String, in range: ClosedRange<Int>, default fallback: Int? = nil
    ) throws(LanguageModelError) -> Int {
        let expected = "a whole number in \(range.lowerBound)...\(range.upperBound)"
        if value(key) == nil, let fallback { return fallback }
        guard let number = value(key)?.wholeNumber, range.contains(number) else {
            throw malformed(key, expected: expected)
        }
        return number
    }

    /// A finite number above zero.
    func positiveNumber(_ key: String, default fallback: Double? = nil) throws(LanguageModelError) -> Double {
        let expected = "a number above 0"
        if value(key) == nil, let fallback { return fallback }
        // It is converted to Float, where it must neither vanish nor overflow.
        guard let number = value(key)?.double, Float(number) > 0, Float(number).isFinite else {
            throw malformed(key, expected: expected)
        }
        return number
    }

    /// A flag; `fallback` if the key is missing or null.
    func flag(_ key: String, default fallback: Bool) throws(LanguageModelError) -> Bool {
        switch value(key) {
        case .boolean(let found)?: return found
        case nil: return fallback
        default: throw malformed(key, expected: "true or false")
        }
    }

    /// A string, or nil if the key is missing or null.
    func text(_ key: String) throws(LanguageModelError) -> String? {
        switch value(key) {
        case .string(let found)?: return found
        case nil: return nil
        default: throw malformed(key, expected: "a string")
        }
    }

    /// A list of strings, or nil if the key is missing or null.
    func texts(_ key: String) throws(LanguageModelError) -> [String]? {
        guard let value = value(key) else { return nil }
        guard case .array(let elements) = value else { throw malformed(key, expected: "a list of strings") }
        var found: [String] = []
        for element in elements {
            guard case .string(let text) = element else { throw malformed(key, expected: "a list of strings") }
            found.append(text)
        }
        return found
    }

    /// Token ids: one number or a list of them; empty if the key is missing or null.
    func tokens(_ key: String) throws(LanguageModelError) -> [TokenID] {
        let elements: [JSONValue]
        switch value(key) {
        case .array(let list)?: elements = list
        case .some(let single): elements = [single]
        case nil: elements = []
        }

        var found: [TokenID] = []
        for element in elements {
            guard let number = element.wholeNumber, number >= 0, let token = TokenID(exactly: number) else {
                throw malformed(key, expected: "a token id or a list of token ids")
            }
            found.append(token)
        }
        return found
    }

    /// A nested object, or nil if the key is missing or null.
    func object(_ key: String) throws(LanguageModelError) -> ConfigurationDocument? {
        switch value(key) {
        case .object(let values)?: return ConfigurationDocument(path: path, prefix: prefix + key + ".", values: values)
        case nil: return nil
        default: throw malformed(key, expected: "an object")
        }
    }
}
