/// Turns the names of tokens into text: steps that are applied to the whole list of tokens one after the other.
struct TokenDecoder: Sendable {
    /// Nil joins the names with spaces.
    let steps: [DecodingStep]?

    /// Whether tokens are byte-level and nothing else changes them.
    var isByteLevel: Bool {
        guard let steps, !steps.isEmpty else { return false }
        return steps.allSatisfy { if case .byteLevel = $0 { true } else { false } }
    }

    /// The text of tokens by their names.
    func text(of names: [[UInt8]]) -> String {
        guard let steps else { return String(decoding: Array(names.joined(separator: [0x20])), as: UTF8.self) }
        return String(decoding: steps.reduce(names) { $1.applied(to: $0) }.flatMap(\.self), as: UTF8.self)
    }

    /// The bytes that one token stands for inside a text, which need not be whole characters.
    ///
    /// What a decoder removes at the beginning or end of a text is kept.
    func bytes(of name: [UInt8]) -> [UInt8] {
        var bytes = name
        for step in steps ?? [] {
            // What follows looks at the text as a whole.
            if case .fuse = step { break }
            bytes = step.bytes(of: bytes)
        }
        return bytes
    }
}
