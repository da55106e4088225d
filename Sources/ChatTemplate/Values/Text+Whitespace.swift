extension Unicode.Scalar {
    /// What Python's `str.isspace`, `str.strip` and `\s` take for white space: bidirectional types WS, B and S, and the
    /// category Zs (Objects/unicodectype.c).
    var isPythonSpace: Bool {
        switch value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }

    /// Where Python's `str.splitlines` cuts.
    var isPythonLineBreak: Bool {
        switch value {
        case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }
}

extension Text {
    /// Without what stands at its ends and is in a set: white space unless characters are given (`str.strip`).
    func stripped(of characters: Text? = nil, left: Bool = true, right: Bool = true) -> Text {
        let set = characters.map { Set($0.scalars) }
        func goes(_ scalar: Unicode.Scalar) -> Bool { set?.contains(scalar) ?? scalar.isPythonSpace }
        var (start, end) = (0, count)
        if left { while start < end, goes(scalars[start]) { start += 1 } }
        if right { while start < end, goes(scalars[end - 1]) { end -= 1 } }
        return Text(scalars: scalars[start..<end])
    }

    /// Its words (`str.split` without a separator), with at most so many cuts, after which everything is one.
    func words(maximumCuts: Int) -> [Text] {
        var words: [Text] = []
        var place = 0
        while true {
            while place < count, scalars[place].isPythonSpace { place += 1 }
            guard place < count else { return words }
            if maximumCuts >= 0, words.count == maximumCuts {
                return words + [Text(scalars: scalars[place...])]
            }

            let start = place
            while place < count, !scalars[place].isPythonSpace { place += 1 }
            words.append(Text(scalars: scalars[start..<place]))
        }
    }

    /// The same from the end (`str.rsplit`).
    func wordsFromEnd(maximumCuts: Int) -> [Text] {
        var words: [Text] = []
        var end = count
        while true {
            while end > 0, scalars[end - 1].isPythonSpace { end -= 1 }
            guard end > 0 else { return words.reversed() }
            if maximumCuts >= 0, words.count == maximumCuts {
                return [Text(scalars: scalars[..<end])] + words.reversed()
            }

            let stop = end
            while end > 0, !scalars[end - 1].isPythonSpace { end -= 1 }
            words.append(Text(scalars: scalars[end..<stop]))
        }
    }

    /// Its parts between a separator, which is not empty (`str.split`), at most so many cuts if that is not negative.
    func parts(between separator: Text, maximumCuts: Int, fromEnd: Bool = false) -> [Text] {
        if fromEnd {
            return reversed.parts(between: separator.reversed, maximumCuts: maximumCuts).reversed().map(\.reversed)
        }

        var parts: [Text] = []
        var start = 0
        while maximumCuts < 0 || parts.count < maximumCuts, let place = firstIndex(of: separator, from: start) {
            parts.append(Text(scalars: scalars[start..<place]))
            start = place + separator.count
        }
        return parts + [Text(scalars: scalars[start...])]
    }

    var reversed: Text { Text(scalars: scalars.reversed()) }

    /// Its lines (`str.splitlines`).
    func lines(keepingEnds: Bool = false) -> [Text] {
        var lines: [Text] = []
        var place = 0
        while place < count {
            let start = place
            while place < count, !scalars[place].isPythonLineBreak { place += 1 }
            let end = place
            if place < count {
                place += scalars[place] == "\r" && place + 1 < count && scalars[place + 1] == "\n" ? 2 : 1
            }
            lines.append(Text(scalars: scalars[start..<(keepingEnds ? place : end)]))
        }
        return lines
    }

    /// With every occurrence of a text replaced (`str.replace`), at most so many if that is not negative.
    func replacing(_ old: Text, by new: Text, atMost limit: Int, longest: Int) -> Text? {
        var result: [Unicode.Scalar] = []
        var (start, replaced) = (0, 0)
        func isAllowed() -> Bool { limit < 0 || replaced < limit }
        if old.count == 0 {
            for scalar in scalars {
                if isAllowed() {
                    result += new.scalars
                    replaced += 1
                }
                result.append(scalar)
                if result.count > longest { return nil }
            }
            if isAllowed() { result += new.scalars }
            return Text(scalars: result)
        }
        while isAllowed(), let place = firstIndex(of: old, from: start) {
            result += scalars[start..<place]
            result += new.scalars
            if result.count > longest { return nil }
            start = place + old.count
            replaced += 1
        }
        result += scalars[start...]
        return Text(scalars: result)
    }
}
