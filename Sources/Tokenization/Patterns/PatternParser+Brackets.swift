extension PatternParser {
    /// The set that stands behind an opening bracket, with nested sets and intersections.
    mutating func bracket(from start: Int, depth: Int = 1) throws(PatternError) -> ScalarSet {
        guard depth <= 20 else { throw unsupported("a class inside more than 20 others", at: start) }
        let isNegated = take("^")
        let negatedBefore = negatedClassCount
        // The sets before the last "&&".
        var earlier: ScalarSet?
        var ranges: [ClosedRange<UInt32>] = []
        var isFirst = true
        while true {
            guard let scalar = next else { throw malformed("a \"[\" that is never closed", at: start) }
            let place = position
            if scalar == "]", !isFirst || !hasLaterBracket(from: place + 1) {
                guard !isFirst else { throw malformed("an empty class", at: start) }
                position += 1
                break
            }
            isFirst = false
            if take("&&") {
                let set = try folded(ScalarSet(ranges), at: start)
                earlier = earlier?.intersection(set) ?? set
                ranges = []
            } else if let set = try posixClass() {
                ranges += set.ranges
            } else if take("[") {
                ranges += try bracket(from: place, depth: depth + 1).ranges
            } else {
                ranges += try member(from: place)
            }
        }
        var set = try folded(ScalarSet(ranges), at: start)
        if let earlier { set = earlier.intersection(set) }
        guard isNegated else { return set }
        // Oniguruma drops characters beyond ASCII from some of these.
        guard earlier == nil || negatedClassCount == negatedBefore else {
            throw unsupported("a negated class with && and another negated class inside", at: start)
        }
        negatedClassCount += 1
        return set.inverted
    }

    /// A scalar, a range of scalars, or an escaped set.
    private mutating func member(from start: Int) throws(PatternError) -> [ClosedRange<UInt32>] {
        guard case .scalar(let low) = try single() else {
            position = start
            guard case .set(let set) = try single() else { return [] }
            if next == "-", !endsRange(at: position + 1) {
                throw malformed("a range that begins with a class", at: start)
            }
            return set.ranges
        }
        guard next == "-", !endsRange(at: position + 1) else { return [low.value...low.value] }
        position += 1
        guard case .scalar(let high) = try single() else {
            throw malformed("a range that ends with a class", at: start)
        }
        guard low.value <= high.value else { throw malformed("a range from a higher to a lower character", at: start) }
        // A hyphen behind a range stands for itself.
        if next == "-" {
            position += 1
            return [low.value...high.value, 0x2D...0x2D]
        }
        return [low.value...high.value]
    }

    private mutating func single() throws(PatternError) -> Escaped {
        let start = position
        guard let scalar = next else { throw malformed("a class that is never closed") }
        position += 1
        guard scalar == "\\" else { return .scalar(scalar) }
        if take("b") { return .scalar("\u{8}") }
        if let digit = next, ("1"..."7").contains(digit) { throw unsupported("an octal number", at: start) }
        return try commonEscape(from: start)
    }

    /// Whether a hyphen before the position stands for itself: what follows is no scalar.
    private func endsRange(at place: Int) -> Bool {
        guard place < scalars.count else { return true }
        return scalars[place] == "]" || scalars[place] == "["
            || scalars[place] == "&" && place + 1 < scalars.count && scalars[place + 1] == "&"
    }

    /// Whether the class is closed later, so that a bracket at its beginning stands for itself.
    private func hasLaterBracket(from place: Int) -> Bool { scalars[place...].contains("]") }

    /// `[:name:]` or `[:^name:]`; nil if none stands at the position.
    private mutating func posixClass() throws(PatternError) -> ScalarSet? {
        let start = position
        guard take("[:") else { return nil }
        let isNegated = take("^")
        var name = ""
        while let scalar = next, scalar.properties.isAlphabetic, name.utf8.count < 20 {
            name.unicodeScalars.append(scalar)
            position += 1
        }
        guard take(":]") else {
            position = start
            return nil
        }
        guard let set = ScalarSet.posixClass(name) else { throw malformed("the unknown class [:\(name):]", at: start) }
        return isNegated ? set.inverted : set
    }
}
