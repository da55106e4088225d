/// One step of a decoder.
enum DecodingStep: Sendable {
    /// `ByteLevel`: characters become the bytes that they stand for.
    case byteLevel
    /// `Replace`
    case replace(TextReplacement)
    /// `ByteFallback`: `<0x41>` becomes a byte.
    case byteFallback
    /// `Fuse`: joins all tokens to one.
    case fuse
    /// `Strip`: removes up to so many of one character at both ends of each token.
    case strip(content: Unicode.Scalar, start: Int, stop: Int)
    /// `Metaspace`: one character becomes a space, or nothing in the first token.
    case metaspace(replacement: [UInt8], dropsFirst: Bool)
    /// `WordPiece`: a space in front of tokens without the prefix of continuations.
    case wordPiece(prefix: [UInt8], cleansUp: Bool)
    /// `BPEDecoder`: a suffix becomes a space.
    case suffix([UInt8])
    /// `CTC`: leaves out repeated tokens.
    case connectionist(pad: [UInt8], delimiter: [UInt8], cleansUp: Bool)
}

extension DecodingStep {
    private static let space = UInt8(ascii: " ")

    /// The tokens after the step (`tokenizers/src/decoders` of github.com/huggingface/tokenizers).
    func applied(to tokens: [[UInt8]]) -> [[UInt8]] {
        switch self {
        case .byteLevel:
            [Array(String(decoding: tokens.flatMap(bytes(of:)), as: UTF8.self).utf8)]
        case .byteFallback: Self.joinedBytes(of: tokens)
        case .fuse: [Array(tokens.joined())]
        case .replace, .strip: tokens.map(bytes(of:))
        case .metaspace(let replacement, let dropsFirst):
            tokens.enumerated().map { index, token in
                TextReplacement(
                    pattern: .text(replacement), content: dropsFirst && index == 0 ? [] : [Self.space]
                ).applied(to: token)
            }
        case .wordPiece(_, let cleansUp):
            tokens.enumerated().map { index, token in
                guard index == 0 else { return bytes(of: token) }
                return cleansUp ? Self.cleanedUp(token) : token
            }
        case .suffix(let suffix):
            tokens.enumerated().map { index, token in
                guard index == tokens.count - 1 else { return bytes(of: token) }
                return TextReplacement(pattern: .text(suffix), content: []).applied(to: token)
            }
        case .connectionist:
            tokens.indices.filter { $0 == 0 || tokens[$0] != tokens[$0 - 1] }.map { bytes(of: tokens[$0]) }
                .filter { !$0.isEmpty }
        }
    }

    /// The bytes of one token inside a text after the step.
    func bytes(of token: [UInt8]) -> [UInt8] {
        switch self {
        case .byteLevel: return ByteLevelAlphabet.bytes(of: String(decoding: token, as: UTF8.self)) ?? token
        case .replace(let replacement): return replacement.applied(to: token)
        case .byteFallback: return Self.byte(of: token).map { [$0] } ?? token
        case .fuse: return token
        case .strip(let content, let start, let stop):
            return Self.stripped(token, of: Array(String(content).utf8), start: start, stop: stop)
        case .metaspace(let replacement, _):
            return TextReplacement(pattern: .text(replacement), content: [Self.space]).applied(to: token)
        case .wordPiece(let prefix, let cleansUp):
            let text = token.starts(with: prefix) ? Array(token.dropFirst(prefix.count)) : [Self.space] + token
            return cleansUp ? Self.cleanedUp(text) : text
        case .suffix(let suffix):
            return TextReplacement(pattern: .text(suffix), content: [Self.space]).applied(to: token)
        case .connectionist(let pad, let delimiter, let cleansUp):
            var text = TextReplacement(pattern: .text(pad), content: []).applied(to: token)
            guard cleansUp else { return text }
            text = Self.cleanedUp(text)
            return TextReplacement(pattern: .text(delimiter), content: [Self.space]).applied(to: text)
        }
    }

    /// The byte that a token such as `<0x0A>` stands for.
    private static func byte(of token: [UInt8]) -> UInt8? {
        guard token.count == 6, token.starts(with: "<0x".utf8), token[5] == UInt8(ascii: ">") else { return nil }
        return UInt8(String(decoding: token[3..<5], as: UTF8.self), radix: 16)
    }

    /// Runs of bytes as text; where they are none, one U+FFFD for each.
    private static func joinedBytes(of tokens: [[UInt8]]) -> [[UInt8]] {
        var result: [[UInt8]] = []
        var run: [UInt8] = []
        func flush() {
            guard !run.isEmpty else { return }
            if String(validating: run, as: UTF8.self) != nil {
                result.append(run)
            } else {
                result += [[UInt8]](repeating: Array("\u{FFFD}".utf8), count: run.count)
            }
            run = []
        }
        for token in tokens {
            if let byte = byte(of: token) {
                run.append(byte)
            } else {
                flush()
                result.append(token)
            }
        }
        flush()
        return result
    }

    private static func stripped(_ token: [UInt8], of content: [UInt8], start: Int, stop: Int) -> [UInt8] {
        var rest = token[...]
        var count = 0
        while count < start, rest.starts(with: content) {
            rest = rest.dropFirst(content.count)
            count += 1
        }
        count = 0
        while count < stop, rest.reversed().starts(with: content.reversed()) {
            rest = rest.dropLast(content.count)
            count += 1
        }
        return Array(rest)
    }

    /// Spaces removed where English has none.
    private static func cleanedUp(_ text: [UInt8]) -> [UInt8] {
        let rules = [
            (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
            (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
        ]
        return rules.reduce(text) {
            TextReplacement(pattern: .text(Array($1.0.utf8)), content: Array($1.1.utf8)).applied(to: $0)
        }
    }
}
