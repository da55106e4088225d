/// The pattern of a `Replace` normalizer or decoder.
enum ReplacedPattern: Sendable, Equatable {
    /// This text; it is not empty.
    case text([UInt8])
    /// Every match of a regular expression.
    case expression(TextPattern, source: String)

    static func == (left: ReplacedPattern, right: ReplacedPattern) -> Bool {
        switch (left, right) {
        case (.text(let one), .text(let other)): one == other
        case (.expression(_, let one), .expression(_, let other)): one == other
        case (.text, .expression), (.expression, .text): false
        }
    }
}

/// What `Replace` does: puts a text in the place of every match of a pattern.
struct TextReplacement: Sendable, Equatable {
    var pattern: ReplacedPattern
    var content: [UInt8]

    init(pattern: ReplacedPattern, content: [UInt8]) {
        self.pattern = pattern
        self.content = content
    }

    /// Reads a component of type `Replace`.
    ///
    /// - Throws: `.unsupported` for a regular expression beyond `TextPattern` and for an empty text, `.malformed`.
    init(_ element: JSONElement) throws(TokenizerError) {
        let pattern = try element.required("pattern")
        if let expression = try pattern.member("Regex") {
            let source = try expression.string()
            do {
                self.init(
                    pattern: .expression(try TextPattern(source), source: source),
                    content: Array(try element.required("content").string().utf8))
                return
            } catch let error as PatternError {
                throw expression.refused(error)
            } catch let error as TokenizerError {
                throw error
            } catch {
                throw expression.malformed("\(error)")
            }
        }
        let text = Array(try pattern.required("String").string().utf8)
        guard !text.isEmpty else {
            throw pattern.unsupported("an empty text", supported: "Replace of a text that is not empty")
        }
        self.init(pattern: .text(text), content: Array(try element.required("content").string().utf8))
    }

    /// The text with all matches replaced, from left to right.
    func applied(to text: [UInt8]) -> [UInt8] {
        switch pattern {
        case .text(let pattern): Self.replacing(pattern, by: content, in: text)
        case .expression(let pattern, _): replacingMatches(of: pattern, in: text)
        }
    }

    private func replacingMatches(of pattern: TextPattern, in text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var done = 0
        text.withUnsafeBufferPointer { bytes in
            pattern.forEachMatch(in: bytes) { match in
                result.append(contentsOf: bytes[done..<match.lowerBound])
                result.append(contentsOf: content)
                done = match.upperBound
            }
            result.append(contentsOf: bytes[done...])
        }
        return result
    }

    private static func replacing(_ pattern: [UInt8], by content: [UInt8], in text: [UInt8]) -> [UInt8] {
        guard let first = pattern.first, text.count >= pattern.count, let start = text.firstIndex(of: first) else {
            return text
        }
        var result: [UInt8] = []
        result.reserveCapacity(text.count + text.count / 4)
        result.append(contentsOf: text[..<start])
        let search = PatternSearch(pattern)
        text[start...].withUnsafeBufferPointer { search.replaceMatches(in: $0, by: content, into: &result) }
        return result
    }
}
