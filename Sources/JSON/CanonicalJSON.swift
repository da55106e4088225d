package import Foundation

/// A value as JSON with sorted keys, so that equal values give equal text.
package func canonicalJSON(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}

extension JSONValue {
    /// The canonical bytes of this value, by `JSONWriter.canonical`.
    package var canonicalBytes: Data { Data(JSONWriter.canonical.bytes(self)) }
}
