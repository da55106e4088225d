/// The normalization of text before it is split.
enum TextNormalizer: Sendable {
    case none
    /// Canonical composition, Unicode normalisation form C.
    case composed

    func normalized(_ text: String) -> String {
        switch self {
        case .none: text
        case .composed: CanonicalComposition.shared.applied(to: text)
        }
    }

    /// Calls `body` with the normalised form of valid UTF-8.
    func withNormalized(
        _ text: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) {
        // No scalar below U+0300 changes under composition unless one from there on follows.
        guard self == .composed, text.contains(where: { $0 >= 0xCC }) else { return body(text) }
        var result = normalized(String(decoding: text, as: UTF8.self))
        result.withUTF8(body)
    }
}
