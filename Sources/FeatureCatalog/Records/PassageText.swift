/// The text of some tokens, and the position where each token starts.
package struct PassageText: Equatable, Sendable {
    /// The text. Bytes that are not UTF-8 become U+FFFD, a zero character U+2400.
    package let text: String
    /// Positions in characters (Unicode scalars), one more than tokens: the start of each, and the text's end.
    /// A token that begins within a character starts where the character does.
    package let tokenStarts: [Int]

    /// The number of tokens.
    package var tokenCount: Int { tokenStarts.count - 1 }

    /// Makes a text with known token starts.
    init(text: String, tokenStarts: [Int]) {
        self.text = text
        self.tokenStarts = tokenStarts
    }

    /// Joins the bytes of tokens.
    package init(tokenBytes: [[UInt8]]) {
        var bytes: [UInt8] = []
        // Byte offsets at which tokens start; they become places in characters below.
        var offsets: [Int] = []
        for token in tokenBytes {
            offsets.append(bytes.count)
            bytes += token
        }
        // Of ASCII every byte is a character.
        if bytes.allSatisfy({ $0 < 0x80 && $0 != 0 }) {
            text = String(decoding: bytes, as: UTF8.self)
            tokenStarts = offsets + [bytes.count]
            return
        }

        var scalars = String.UnicodeScalarView()
        var starts: [Int] = []
        var offset = 0
        var place = 0
        var parser = Unicode.UTF8.ForwardParser()
        var iterator = bytes.makeIterator()
        func passed(to end: Int) {
            while starts.count < offsets.count, offsets[starts.count] < end { starts.append(place) }
        }
        parsing: while true {
            switch parser.parseScalar(from: &iterator) {
            case .valid(let encoded):
                passed(to: offset + encoded.count)
                offset += encoded.count
                let scalar = Unicode.UTF8.decode(encoded)
                scalars.append(scalar.value == 0 ? "\u{2400}" : scalar)
            case .error(let length):
                passed(to: offset + length)
                offset += length
                scalars.append("\u{FFFD}")
            case .emptyInput: break parsing
            }
            place += 1
        }
        // Tokens without bytes at the end start at the end.
        while starts.count <= offsets.count { starts.append(place) }
        text = String(scalars)
        tokenStarts = starts
    }

    /// The column `token_starts`: decimals of equal width.
    var decimals: String {
        let width = String(tokenStarts.last ?? 0).utf8.count
        return tokenStarts.map { start in
            let digits = String(start)
            return String(repeating: "0", count: width - digits.utf8.count) + digits
        }.joined()
    }

    /// Reads a column `token_starts`; nil unless it holds as many numbers of equal width as expected.
    static func starts(decimals: String, tokenCount: Int) -> [Int]? {
        let digits = Array(decimals.utf8)
        guard tokenCount > 0, tokenCount < Int.max, digits.count.isMultiple(of: tokenCount + 1) else { return nil }
        let width = digits.count / (tokenCount + 1)
        guard (1...18).contains(width) else { return nil }
        var starts: [Int] = []
        var last = 0
        for first in stride(from: 0, to: digits.count, by: width) {
            var start = 0
            for digit in digits[first..<first + width] {
                guard (0x30...0x39).contains(digit) else { return nil }
                start = 10 * start + Int(digit - 0x30)
            }
            guard start >= last else { return nil }
            starts.append(start)
            last = start
        }
        return starts
    }

    /// Whether a column `token_starts` holds ascending positions within a text of so many characters.
    static func isConsistent(decimals: String, tokenCount: Int, length: Int) -> Bool {
        starts(decimals: decimals, tokenCount: tokenCount)?.last == length
    }
}
