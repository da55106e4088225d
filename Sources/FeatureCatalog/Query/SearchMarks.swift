/// A text in which a search has marked the words that match, and where they are.
struct SearchMarks {
    private let scalars: [Unicode.Scalar]
    /// Words that match, in characters of the text, ascending.
    private let ranges: [Range<Int>]

    /// Takes a text with U+0002 before and U+0003 behind every match, as FTS5's `highlight()` puts them.
    init(_ marked: String) {
        var scalars: [Unicode.Scalar] = []
        var ranges: [Range<Int>] = []
        var start: Int?
        for scalar in marked.unicodeScalars {
            switch scalar {
            case "\u{2}" where start == nil: start = scalars.count
            case "\u{3}":
                if let first = start { ranges.append(first..<scalars.count) }
                start = nil
            default: scalars.append(scalar)
            }
        }
        self.scalars = scalars
        self.ranges = ranges
    }

    /// Whether a match has a part in a stretch of the text.
    func overlaps(_ stretch: Range<Int>) -> Bool {
        ranges.contains { $0.overlaps(stretch) }
    }

    /// A stretch of the text, matches between pairs of asterisks, the peak between « and ».
    func text(window: Range<Int>, peak: Range<Int>) -> String {
        var text = String.UnicodeScalarView()
        let window = window.clamped(to: 0..<scalars.count)
        let matches = ranges.filter { $0.overlaps(window) }
        for place in window {
            if place == peak.lowerBound { text.append("«") }
            if matches.contains(where: { max($0.lowerBound, window.lowerBound) == place }) {
                text += "**".unicodeScalars
            }
            text.append(scalars[place])
            if matches.contains(where: { min($0.upperBound, window.upperBound) == place + 1 }) {
                text += "**".unicodeScalars
            }
            if place + 1 == peak.upperBound { text.append("»") }
        }
        return String(text)
    }
}
