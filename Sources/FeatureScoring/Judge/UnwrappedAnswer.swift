/// An answer without its wrapping: closed `<think>` blocks before it, then exactly one code fence around it.
///
/// Nothing else is removed; an unclosed block or fence does not count. A fence is a line of three or more
/// backticks or tildes with at most one word behind them, and a last line of as many or more of the same (CommonMark 0.31,
/// §4.5).
package struct UnwrappedAnswer: Equatable, Sendable {
    /// The answer without wrapping.
    package let text: String
    /// Its offset in the content, bytes of UTF-8.
    package let offset: Int
    /// Think blocks removed.
    package let thoughtCount: Int
    /// Whether a fence was removed.
    package let isFenced: Bool

    /// Removes the wrapping from a reply's content.
    package init(_ content: String) {
        let bytes = Array(content.utf8)
        var answer = Self.trimmed(bytes[...])
        var thoughts = 0
        while let rest = Self.withoutThought(answer) {
            answer = rest
            thoughts += 1
        }

        let fenced = Self.withoutFence(answer)
        isFenced = fenced != nil
        thoughtCount = thoughts
        // Without wrapping, nothing is changed, white space included.
        answer = fenced ?? (thoughts > 0 ? answer : bytes[...])
        text = String(decoding: answer, as: UTF8.self)
        offset = answer.startIndex
    }

    /// The text after a closed think block at its start; nil without one.
    private static func withoutThought(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard text.starts(with: "<think>".utf8) else { return nil }
        let end = Array("</think>".utf8)
        var place = text.startIndex + "<think>".utf8.count
        while place + end.count <= text.endIndex {
            if text[place] == end[0], text[place..<place + end.count].elementsEqual(end) {
                return trimmed(text[(place + end.count)...])
            }
            place += 1
        }
        return nil
    }

    /// The lines between those of a code fence around the whole text; nil without one.
    private static func withoutFence(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let mark = text.first, [UInt8(ascii: "`"), UInt8(ascii: "~")].contains(mark),
            let firstEnd = text.firstIndex(of: UInt8(ascii: "\n")), let lastEnd = text.lastIndex(of: UInt8(ascii: "\n"))
        else { return nil }
        let length = text.prefix { $0 == mark }.count
        let word = trimmed(text[(text.startIndex + length)..<firstEnd])
        let last = trimmed(text[(lastEnd + 1)...])
        guard length >= 3, word.allSatisfy(isOfWord), last.count >= length, last.allSatisfy({ $0 == mark }) else {
            return nil
        }
        return text[(firstEnd + 1)..<max(firstEnd + 1, lastEnd)]
    }

    /// Whether a byte may occur in the fence's language name.
    private static func isOfWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// Without surrounding JSON white space.
    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isSpace(_ byte: UInt8) -> Bool { [0x20, 0x0A, 0x0D, 0x09].contains(byte) }
        guard let first = text.firstIndex(where: { !isSpace($0) }), let last = text.lastIndex(where: { !isSpace($0) })
        else { return text[text.endIndex...] }
        return text[first...last]
    }
}
