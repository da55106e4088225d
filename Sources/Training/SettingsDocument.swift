import Foundation

/// Some settings of a training, as a document merged over another one.
///
/// Values are encoded here and decoded only with the whole, so that a number out of range gives the same
/// error wherever it was given.
package struct SettingsDocument {
    private var values: [String: Any] = [:]

    package init() {}

    /// Whether it has no settings.
    package var isEmpty: Bool { values.isEmpty }

    /// Gives a key a value.
    ///
    /// - Throws: `EncodingError` for a value that JSON lacks.
    package mutating func set(_ key: String, _ value: some Encodable) throws {
        let data = try Self.encoder.encode([value])
        values[key] = (try JSONSerialization.jsonObject(with: data) as? [Any])?.first
    }

    /// Another document with these keys merged over it. Keys that exclude a given one are removed.
    func laid(over document: [String: Any]) -> [String: Any] {
        var laid = document
        for (key, excluded) in Self.exclusions where values[key] != nil {
            for other in excluded where values[other] == nil { laid[other] = nil }
        }
        return laid.merging(values) { $1 }
    }

    /// Keys that exclude others of the document: each other, or what goes with the value before.
    private static let exclusions: [String: [String]] = [
        "architecture": ["sparsity", "prefixes"], "tokens": ["steps"], "steps": ["tokens"],
        "activations": ["model", "modelName", "text"], "model": ["activations"], "text": ["activations"],
    ]

    /// JSON has no NaN or infinity; these strings carry them to the check of the setting.
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
