extension SplitPattern {
    /// The end of the match that begins at a position before the scanner's end; always greater than `start`.
    func endOfMatch(from start: Int, in scanner: ScalarScanner) -> Int {
        switch self {
        case .gpt2: scanner.gpt2Match(from: start)
        case .cl100k: scanner.cl100kMatch(from: start, digits: 3)
        case .qwen2: scanner.cl100kMatch(from: start, digits: 1)
        case .o200k: scanner.o200kMatch(from: start, contractions: true, digits: 3)
        case .tekken: scanner.o200kMatch(from: start, contractions: false, digits: 1)
        }
    }
}

extension ScalarScanner {
    fileprivate func gpt2Match(from start: Int) -> Int {
        // 's|'t|'re|'ve|'m|'ll|'d
        if let end = endOfContraction(from: start, ignoringCase: false) { return end }
        //  ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+
        var (scalarClass, next) = scalar(at: start)
        if bytes[start] == UInt8(ascii: " "), next < end { (scalarClass, next) = scalar(at: next) }
        if scalarClass.contains(.letter) { return endOfRun(of: .letter, from: next) }
        if scalarClass.contains(.number) { return endOfRun(of: .number, from: next) }
        if !scalarClass.contains(.space) { return endOfRun(ofNone: [.space, .letter, .number], from: next) }
        return endOfSpaces(from: start)
    }

    fileprivate func cl100kMatch(from start: Int, digits: Int) -> Int {
        // (?i:'s|'t|'re|'ve|'m|'ll|'d)
        if let end = endOfContraction(from: start, ignoringCase: true) { return end }
        // [^\r\n\p{L}\p{N}]?\p{L}+
        let (scalarClass, next) = scalar(at: start)
        if scalarClass.contains(.letter) { return endOfRun(of: .letter, from: next) }
        if scalarClass.isDisjoint(with: [.newline, .number]) {
            let end = endOfRun(of: .letter, from: next)
            if end > next { return end }
        }
        return endOfNumberPunctuationOrSpaces(from: start, digits: digits, trailing: UInt8(ascii: "\n"))
    }

    fileprivate func o200kMatch(from start: Int, contractions: Bool, digits: Int) -> Int {
        let (scalarClass, next) = scalar(at: start)
        // [^\r\n\p{L}\p{N}]? is tried with the scalar first and without it second, for each of the two alternatives.
        let prefixed = scalarClass.isDisjoint(with: [.newline, .letter, .number]) ? next : nil
        let end =
            prefixed.flatMap(endOfLowercasedWord) ?? endOfLowercasedWord(from: start)
            ?? prefixed.flatMap(endOfCapitalWord) ?? endOfCapitalWord(from: start)
        if let end { return (contractions ? endOfContraction(from: end, ignoringCase: true) : nil) ?? end }
        return endOfNumberPunctuationOrSpaces(from: start, digits: digits, trailing: UInt8(ascii: "/"))
    }

    /// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+`
    private func endOfLowercasedWord(from start: Int) -> Int? {
        var position = start
        // The first part takes all it can and gives back as little as lets the second part have one scalar.
        var endOfLastShared: Int?
        while position < end {
            let (scalarClass, next) = scalar(at: position)
            guard scalarClass.contains(.wordStart) else { break }
            if scalarClass.contains(.wordRest) { endOfLastShared = next }
            position = next
        }

        let rest = endOfRun(of: .wordRest, from: position)
        return rest > position ? rest : endOfLastShared
    }

    /// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*`
    private func endOfCapitalWord(from start: Int) -> Int? {
        let capitals = endOfRun(of: .wordStart, from: start)
        return capitals > start ? endOfRun(of: .wordRest, from: capitals) : nil
    }

    /// `\p{N}{1,digits}| ?[^\s\p{L}\p{N}]+[\r\n…]*|\s*[\r\n]+|\s+(?!\S)|\s+`
    private func endOfNumberPunctuationOrSpaces(from start: Int, digits: Int, trailing: UInt8) -> Int {
        var (scalarClass, next) = scalar(at: start)
        if scalarClass.contains(.number) {
            for _ in 1..<max(digits, 1) where next < end {
                let following = scalar(at: next)
                guard following.class.contains(.number) else { break }
                next = following.next
            }
            return next
        }
        if bytes[start] == UInt8(ascii: " "), next < end { (scalarClass, next) = scalar(at: next) }
        if scalarClass.isDisjoint(with: [.space, .letter, .number]) {
            let punctuation = endOfRun(ofNone: [.space, .letter, .number], from: next)
            return endOfRun(ofBytes: UInt8(ascii: "\r"), UInt8(ascii: "\n"), trailing, from: punctuation)
        }
        // \s*[\r\n]+ ends behind the last line break of the run of spaces.
        var position = start
        var endOfLastBreak: Int?
        while position < end {
            let (scalarClass, next) = scalar(at: position)
            guard scalarClass.contains(.space) else { break }
            if scalarClass.contains(.newline) { endOfLastBreak = next }
            position = next
        }
        return endOfLastBreak ?? endOfSpaces(from: start)
    }

    /// `\s+(?!\S)|\s+`, where there is a space: all spaces up to the end of the text, otherwise all but the last, which
    /// stays for the word behind it, unless there is only one.
    private func endOfSpaces(from start: Int) -> Int {
        var position = start
        var last = start
        while position < end {
            let (scalarClass, next) = scalar(at: position)
            guard scalarClass.contains(.space) else { break }
            last = position
            position = next
        }
        return position == end || last == start ? position : last
    }

    /// `'s|'t|'re|'ve|'m|'ll|'d`
    private func endOfContraction(from start: Int, ignoringCase: Bool) -> Int? {
        guard isByte(UInt8(ascii: "'"), at: start), start + 1 < end else { return nil }
        // Sets the bit that tells small ASCII letters from capitals; no other byte becomes a letter by it.
        let fold: UInt8 = ignoringCase ? 0x20 : 0
        let second: UInt8 = start + 2 < end ? bytes[start + 2] | fold : 0
        switch bytes[start + 1] | fold {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return start + 2
        case UInt8(ascii: "r"), UInt8(ascii: "v"): return second == UInt8(ascii: "e") ? start + 3 : nil
        case UInt8(ascii: "l"): return second == UInt8(ascii: "l") ? start + 3 : nil
        default:
            // U+017F, the long s, is the one other scalar that folds to a letter of these.
            return ignoringCase && bytes[start + 1] == 0xC5 && isByte(0xBF, at: start + 2) ? start + 3 : nil
        }
    }
}
