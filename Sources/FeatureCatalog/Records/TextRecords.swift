/// A body of text, cut into documents (table `corpus`).
package struct CorpusRecord: Equatable, Sendable {
    /// The key; 0 for a record that is yet to be written.
    package let corpusID: Int64
    /// The model whose tokenizer made the documents' token ids.
    package let languageModelID: Int64
    /// Its name, such as `held-out`.
    package let name: String
    /// Where it comes from and under which licence, for people; nil where unknown.
    package let source: String?
    /// Lower-case hexadecimal SHA-256 of its text.
    package let sha256: String

    /// Describes a corpus.
    package init(corpusID: Int64 = 0, languageModelID: Int64, name: String, source: String? = nil, sha256: String) {
        self.corpusID = corpusID
        self.languageModelID = languageModelID
        self.name = name
        self.source = source
        self.sha256 = sha256
    }
}

/// One document of a corpus with its token ids (table `document`).
package struct DocumentRecord: Equatable, Sendable {
    /// The key; 0 for a record that is yet to be written.
    package let documentID: Int64
    /// Its number in the corpus, counted from 0.
    package let ordinal: Int
    /// A title for people; nil where there is none.
    package let title: String?
    /// Where the document comes from; nil where that is the corpus's own source.
    package let source: String?
    /// The token ids `[tokens]`, so that any context can be rebuilt and run again.
    package let tokenIDs: [Int32]
    /// Lower-case hexadecimal SHA-256 of the document's text in UTF-8.
    package let sha256: String

    /// Describes a document.
    package init(
        documentID: Int64 = 0, ordinal: Int, title: String? = nil, source: String? = nil, tokenIDs: [Int32],
        sha256: String
    ) {
        self.documentID = documentID
        self.ordinal = ordinal
        self.title = title
        self.source = source
        self.tokenIDs = tokenIDs
        self.sha256 = sha256
    }
}

/// A stretch of a document that the model reads at once, with its text (table `passage`).
package struct PassageRecord: Equatable, Sendable {
    /// The key; 0 for a record that is yet to be written.
    package let passageID: Int64
    /// The document.
    package let documentID: Int64
    /// Its number among the document's passages, counted from 0.
    package let segment: Int
    /// Index of its first token in the document's token ids.
    package let firstToken: Int
    /// The tokens' text.
    package let text: PassageText

    /// Describes a passage.
    package init(passageID: Int64 = 0, documentID: Int64, segment: Int, firstToken: Int, text: PassageText) {
        self.passageID = passageID
        self.documentID = documentID
        self.segment = segment
        self.firstToken = firstToken
        self.text = text
    }
}

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

/// One entry of a model's vocabulary (table `token`).
package struct TokenRecord: Equatable, Sendable {
    /// The token's number in the model's vocabulary.
    package let tokenID: Int

    /// The token as text; bytes that are not UTF-8 by themselves appear as U+FFFD.
    package let text: String

    /// The token's exact bytes, only where `text` cannot hold them; nil otherwise.
    package let bytes: [UInt8]?

    /// Describes a token.
    package init(tokenID: Int, text: String, bytes: [UInt8]? = nil) {
        self.tokenID = tokenID
        self.text = text
        self.bytes = bytes
    }
}
