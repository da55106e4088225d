import Foundation

/// Some of the settings of a training, as a document to lay over another one.
///
/// Its values have been encoded and are decoded only with the whole, so that a number out of range is refused in the same
/// words wherever it was given.
package struct SettingsDocument {
    private var values: [String: Any] = [:]

    package init() {}

    /// Whether nothing was given.
    package var isEmpty: Bool { values.isEmpty }

    /// Gives a key a value.
    ///
    /// - Throws: `EncodingError` for a value that is none of JSON's.
    package mutating func set(_ key: String, _ value: some Encodable) throws {
        let data = try Self.encoder.encode([value])
        values[key] = (try JSONSerialization.jsonObject(with: data) as? [Any])?.first
    }

    /// The keys of another document, with those given here above them. What excludes a key that was given goes.
    func laid(over document: [String: Any]) -> [String: Any] {
        var laid = document
        for (key, excluded) in Self.exclusions where values[key] != nil {
            for other in excluded where values[other] == nil { laid[other] = nil }
        }
        return laid.merging(values) { $1 }
    }

    /// Keys that say the same in another way.
    private static let exclusions: [String: [String]] = [
        "tokens": ["steps"], "steps": ["tokens"],
        "activations": ["model", "modelName", "text"], "model": ["activations"], "text": ["activations"],
    ]

    /// JSON has no word for what is no number; these go through it so that the check of the setting may refuse them.
    private static let encoder: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "\u{E000}inf", negativeInfinity: "\u{E000}-inf", nan: "\u{E000}nan")
        return encoder
    }()

    static let decoder: JSONDecoder = {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "\u{E000}inf", negativeInfinity: "\u{E000}-inf", nan: "\u{E000}nan")
        return decoder
    }()
}
