/// Cuts a template into tokens, by the rules of jinja2/lexer.py with `trim_blocks` and `lstrip_blocks`, as transformers
/// sets them (utils/chat_template_utils.py): the newline after a tag goes, and so does the white space before a tag that
/// is first in its line; `-` at either end of a tag takes all white space there, `+` keeps it.
struct TemplateLexer {
    let source: [Unicode.Scalar]
    var place = 0
    var line = 1
    var tokens: [Token] = []
    /// Whether the last piece ended a line.
    private var isAtLineStart = true

    /// Cuts a whole template.
    static func tokens(of source: String) throws -> [Token] {
        guard source.utf8.count <= 4 * TemplateLimits.source, source.unicodeScalars.count <= TemplateLimits.source
        else {
            throw ChatTemplateError.excessive(line: 1, what: "it has more than \(TemplateLimits.source) characters")
        }

        var lexer = TemplateLexer(source)
        while lexer.place < lexer.source.count { try lexer.readToNextTag() }
        lexer.add(.end)
        return lexer.tokens
    }

    /// Line ends are unified, and the last one is dropped.
    private init(_ text: String) {
        var scalars: [Unicode.Scalar] = []
        scalars.reserveCapacity(text.utf8.count)
        var last: Unicode.Scalar?
        for scalar in text.unicodeScalars {
            if scalar == "\n", last == "\r" {
            } else {
                scalars.append(scalar == "\r" ? "\n" : scalar)
            }
            last = scalar
        }
        if scalars.last == "\n" { scalars.removeLast() }
        source = scalars
    }

    /// Reads text, and the tag that ends it.
    private mutating func readToNextTag() throws {
        let start = place
        guard let begin = (start..<source.count).first(where: { isTagBegin($0) }) else {
            add(.data(Text(scalars: source[start...])))
            place = source.count
            return
        }

        let mark = source[begin + 1]
        let raw = mark == "%" ? rawTag(at: begin, "raw", trims: false) : nil
        let sign = sign(at: begin + 2)
        addData(start..<begin, before: sign, keepsIndent: mark == "{")
        advance(to: begin + 2 + (sign == nil ? 0 : 1))
        if let raw {
            advance(to: raw.end)
            try readRaw()
        } else if mark == "#" {
            try readComment()
        } else {
            add(mark == "%" ? .tagBegin : .outputBegin)
            try readTag(closing: mark == "%" ? "%" : "}")
        }
        isAtLineStart = place > 0 && source[place - 1] == "\n"
    }

    private func isTagBegin(_ index: Int) -> Bool {
        source[index] == "{" && index + 1 < source.count
            && (source[index + 1] == "%" || source[index + 1] == "{" || source[index + 1] == "#")
    }

    private func sign(at index: Int) -> Unicode.Scalar? {
        guard index < source.count, source[index] == "-" || source[index] == "+" else { return nil }
        return source[index]
    }

    /// Adds the text before a tag, without the white space that the tag trims.
    private mutating func addData(_ range: Range<Int>, before sign: Unicode.Scalar?, keepsIndent: Bool) {
        var end = range.upperBound
        if sign == "-" {
            while end > range.lowerBound, source[end - 1].isPythonSpace { end -= 1 }
        } else if sign != "+", !keepsIndent {
            let lineBreak = source[range].lastIndex(of: "\n")
            let lineStart = lineBreak.map { $0 + 1 } ?? range.lowerBound
            if lineBreak != nil || isAtLineStart, source[lineStart..<end].allSatisfy(\.isPythonSpace) {
                end = lineStart
            }
        }
        if end > range.lowerBound { add(.data(Text(scalars: source[range.lowerBound..<end]))) }
        advance(to: range.upperBound)
    }

    mutating func add(_ kind: Token.Kind) { tokens.append(Token(kind: kind, line: line)) }

    /// Advances to an index, counting lines.
    mutating func advance(to index: Int) {
        for scalar in source[place..<index] where scalar == "\n" { line += 1 }
        place = index
    }

    /// Whether the source has these characters at an index.
    func has(_ characters: StaticString, at index: Int) -> Bool {
        characters.withUTF8Buffer { bytes in
            index + bytes.count <= source.count
                && bytes.indices.allSatisfy { source[index + $0].value == UInt32(bytes[$0]) }
        }
    }

    /// The first index from here on that is not white space.
    func skippingSpace(from index: Int) -> Int {
        var index = index
        while index < source.count, source[index].isPythonSpace { index += 1 }
        return index
    }

    /// The index behind a tag's end and the white space it trims (with `trims` a newline too); nil if no tag ends here.
    func tagEnd(at index: Int, closing: Unicode.Scalar, trims: Bool) -> Int? {
        func closes(_ index: Int) -> Bool {
            index + 1 < source.count && source[index] == closing && source[index + 1] == "}"
        }
        if closes(index) {
            return index + 2 + (trims && index + 2 < source.count && source[index + 2] == "\n" ? 1 : 0)
        }
        guard let sign = sign(at: index), closes(index + 1) else { return nil }
        if sign == "-" { return skippingSpace(from: index + 3) }
        // `+` has a meaning where a newline would go.
        return trims ? index + 3 : nil
    }

    private mutating func readComment() throws {
        let start = place
        var index = start
        while index < source.count {
            if let end = tagEnd(at: index, closing: "#", trims: true) {
                advance(to: end)
                return
            }
            index += 1
        }
        throw ChatTemplateError.malformed(line: line, problem: "a comment is not closed")
    }

    /// Everything before `endraw` is text.
    private mutating func readRaw() throws {
        isAtLineStart = place > 0 && source[place - 1] == "\n"
        let start = place
        for begin in start..<max(start, source.count) where has("{%", at: begin) {
            guard let tag = rawTag(at: begin, "endraw", trims: true) else { continue }
            addData(start..<begin, before: tag.sign, keepsIndent: false)
            advance(to: tag.end)
            return
        }
        throw ChatTemplateError.malformed(line: line, problem: "a raw block is not closed")
    }

    /// The tag `raw` or `endraw` if it begins here, with its sign.
    private func rawTag(at begin: Int, _ name: StaticString, trims: Bool) -> (sign: Unicode.Scalar?, end: Int)? {
        let sign = sign(at: begin + 2)
        let start = skippingSpace(from: begin + 2 + (sign == nil ? 0 : 1))
        guard has(name, at: start) else { return nil }
        let index = skippingSpace(from: start + name.utf8CodeUnitCount)
        guard let end = tagEnd(at: index, closing: "%", trims: trims) else { return nil }
        return (sign, end)
    }
}
