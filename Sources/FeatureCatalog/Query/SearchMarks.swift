/// A text with the positions of a search's matches.
struct SearchMarks {
    private let scalars: [Unicode.Scalar]
    /// Positions of matches, in characters of the text, ascending.
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
                if let first = start, first < scalars.count { ranges.append(first..<scalars.count) }
                start = nil
            default: scalars.append(scalar)
            }
        }
        self.scalars = scalars
        self.ranges = ranges
    }

    /// Whether a match overlaps a stretch of the text.
    func overlaps(_ stretch: Range<Int>) -> Bool {
        let first = firstMatch(endingAfter: stretch.lowerBound)
        return first < ranges.count && ranges[first].overlaps(stretch)
    }

    /// A stretch of the text, matches between pairs of asterisks, the peak between « and ».
    func text(window: Range<Int>, peak: Range<Int>) -> String {
        var text = String.UnicodeScalarView()
        let window = window.clamped(to: 0..<scalars.count)
        var match = firstMatch(endingAfter: window.lowerBound)
        for place in window {
            if place == peak.lowerBound { text.append("«") }
            let isMatch = match < ranges.count && ranges[match].contains(place)
            if isMatch, max(ranges[match].lowerBound, window.lowerBound) == place { text += "**".unicodeScalars }
            text.append(scalars[place])
            if isMatch, min(ranges[match].upperBound, window.upperBound) == place + 1 {
                text += "**".unicodeScalars
                match += 1
            }
            if place + 1 == peak.upperBound { text.append("»") }
        }
        return String(text)
    }

    /// The index of the first match that ends after a position, by binary search.
    private func firstMatch(endingAfter place: Int) -> Int {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound > place { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
