import Foundation

/// A secret sent in one header only: printing, reflecting or dumping it shows nothing.
struct EndpointKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Shorter keys are placeholders for servers that need none (`ollama`): they are not redacted in replies,
    /// where such a word may occur.
    static let minimumSecretLength = 8

    private let secret: String

    /// Checks that the key can stand in a header.
    init(_ key: String) throws(ChatConfigurationError) {
        if key.isEmpty { throw .invalidKey(reason: "it is empty") }
        // A line end would begin a header of its own.
        guard key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .invalidKey(reason: "it holds a space, a line end or another character that no key has")
        }
        secret = key
    }

    /// Whether it is more than a placeholder.
    private var isSecret: Bool { secret.utf8.count >= Self.minimumSecretLength }

    var header: String { "Authorization: Bearer \(secret)" }

    /// An endpoint's text with the key replaced: some repeat it in error messages.
    func redacted(_ text: String) -> String {
        redacted(Data(text.utf8)).map { String(decoding: $0, as: UTF8.self) } ?? "(a text with the key)"
    }

    /// The bytes of a reply with `(key)` wherever the key stands; nil if it is in them with escapes of JSON as well.
    func redacted(_ body: Data) -> Data? {
        guard occurs(in: body) else { return body }
        // By bytes: as characters the key would differ from itself before an accent.
        let parts = Array(body).split(separator: Array(secret.utf8), omittingEmptySubsequences: false)
        let redacted = Data(parts.joined(separator: Array("(key)".utf8)))
        return occurs(in: redacted) ? nil : redacted
    }

    /// Whether some bytes hold the key, as it is or with escapes of JSON, of which there may be several layers: a reply's
    /// text is JSON in JSON.
    private func occurs(in bytes: Data) -> Bool {
        guard isSecret else { return false }
        var bytes = Array(bytes)
        while !bytes.contains(secret.utf8) {
            let plain = Self.unescaped(bytes)
            // Every layer is shorter than the one around it.
            guard plain.count < bytes.count else { return false }
            bytes = plain
        }
        return true
    }

    /// Bytes with JSON escapes of ASCII characters resolved.
    private static func unescaped(_ bytes: [UInt8]) -> [UInt8] {
        var plain: [UInt8] = []
        plain.reserveCapacity(bytes.count)
        var place = 0
        while place < bytes.count {
            guard bytes[place] == UInt8(ascii: "\\"), place + 1 < bytes.count else {
                plain.append(bytes[place])
                place += 1
                continue
            }
            if bytes[place + 1] == UInt8(ascii: "u"), place + 6 <= bytes.count,
                let code = UInt8(String(decoding: bytes[place + 2..<place + 6], as: UTF8.self), radix: 16)
            {
                plain.append(code)
                place += 6
            } else {
                plain.append(bytes[place + 1])
                place += 2
            }
        }
        return plain
    }

    var description: String { "(key)" }
    var debugDescription: String { "(key)" }
    var customMirror: Mirror { Mirror(self, children: []) }
}
