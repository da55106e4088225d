/// A text as in Python: a sequence of code points, compared, counted and cut by these.
///
/// A Swift string is compared by canonical equivalence and counted by grapheme clusters.
package struct Text: Hashable, Sendable {
    /// The code points.
    package var scalars: [Unicode.Scalar]

    init() { scalars = [] }

    package init(_ string: String) { scalars = Array(string.unicodeScalars) }

    init(scalars: some Sequence<Unicode.Scalar>) { self.scalars = Array(scalars) }

    /// The text as a Swift string.
    package var string: String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    var count: Int { scalars.count }

    /// Where another text begins in this one, at a place or after it, by Knuth, Morris and Pratt: a template may look for
    /// a long text in a longer one.
    func firstIndex(of other: Text, from start: Int = 0) -> Int? {
        guard other.count > 0 else { return start <= count ? start : nil }
        guard start + other.count <= count else { return nil }
        let borders = other.borders
        var matched = 0
        for place in start..<count {
            while matched > 0, scalars[place] != other.scalars[matched] { matched = borders[matched - 1] }
            if scalars[place] == other.scalars[matched] { matched += 1 }
            if matched == other.count { return place + 1 - matched }
        }
        return nil
    }

    /// Where another text begins for the last time.
    func lastIndex(of other: Text) -> Int? {
        reversed.firstIndex(of: other.reversed).map { count - other.count - $0 }
    }

    func starts(with other: Text) -> Bool { scalars.starts(with: other.scalars) }

    func ends(with other: Text) -> Bool {
        count >= other.count && scalars[(count - other.count)...].elementsEqual(other.scalars)
    }

    /// For every prefix, the length of its longest proper border.
    private var borders: [Int] {
        var borders = [Int](repeating: 0, count: count)
        var length = 0
        for place in 1..<max(1, count) {
            while length > 0, scalars[place] != scalars[length] { length = borders[length - 1] }
            if scalars[place] == scalars[length] { length += 1 }
            borders[place] = length
        }
        return borders
    }
}

extension Text: ExpressibleByStringLiteral {
    package init(stringLiteral string: String) { self.init(string) }
}

extension Text: Comparable {
    package static func < (one: Text, other: Text) -> Bool {
        one.scalars.lexicographicallyPrecedes(other.scalars)
    }
}
