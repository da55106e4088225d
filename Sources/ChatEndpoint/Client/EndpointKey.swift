/// A secret that goes into one header and nowhere else: it prints, reflects and dumps as nothing.
struct EndpointKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
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

    var header: String { "Authorization: Bearer \(secret)" }

    /// A text of an endpoint's without the key: some repeat it in their complaint.
    func redacted(_ text: String) -> String {
        // By bytes: as characters the key would differ from itself before an accent.
        let parts = Array(text.utf8).split(separator: Array(secret.utf8), omittingEmptySubsequences: false)
        return parts.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "(key)")
    }

    /// Whether some bytes hold the key.
    func occurs(in bytes: some Collection<UInt8>) -> Bool {
        bytes.contains(secret.utf8)
    }

    var description: String { "(key)" }
    var debugDescription: String { "(key)" }
    var customMirror: Mirror { Mirror(self, children: []) }
}
