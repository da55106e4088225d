/// Finds added tokens in text: the leftmost first, the longest of those that begin at one position.
struct AddedTokenMatcher: Sendable {
    private let tokens: [AddedToken]
    /// The spellings in UTF-8 with the indices of the tokens.
    private let trie: ByteTrie
    /// The names of tokens that are skipped, so that they are ordinary text.
    private let skipped: Set<[UInt8]>

    /// - Parameters:
    ///   - patterns: the tokens with their spelling in the text. Empty patterns are never found.
    ///   - skipped: the names of tokens that are left in the text.
    init(_ patterns: [(token: AddedToken, pattern: [UInt8])], skipping skipped: Set<[UInt8]> = []) {
        self.skipped = skipped
        tokens = patterns.map(\.token)
        // Of tokens with the same spelling the first is found.
        trie = ByteTrie(patterns.enumerated().reversed().map { ($0.element.pattern, Int32($0.offset)) })
    }

    /// Calls `body` with the stretches of valid UTF-8 from left to right: text with nil, tokens with their id.
    ///
    /// The handling of the flags follows `find_matches` in `tokenizers/src/tokenizer/added_vocabulary.rs` of
    /// github.com/huggingface/tokenizers.
    func split(
        _ text: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>, TokenID?) -> Void
    ) {
        var done = 0
        var position = 0
        while !trie.isEmpty, position < text.count {
            guard let match = longestMatch(in: text, from: position) else {
                position += 1
                continue
            }

            var (start, end) = (position, match.end)
            // A match is skipped as a whole even if its flags rule it out.
            position = end
            let token = match.token
            if !skipped.isEmpty, skipped.contains(token.content.tokenKey) { continue }
            if token.isSingleWord, isWordCharacter(before: start, in: text) || isWordCharacter(at: end, in: text) {
                continue
            }
            // Spaces that a token before this one has taken stay with that one.
            if token.stripsLeft { start = max(startOfSpaces(before: start, in: text), done) }
            if token.stripsRight { end = endOfSpaces(from: end, in: text) }
            if done < start { body(UnsafeBufferPointer(rebasing: text[done..<start]), nil) }
            // What is left of a match in spaces that a token before it has taken counts only if it is not empty.
            if start < end { body(UnsafeBufferPointer(rebasing: text[start..<end]), token.id) }
            done = end
        }
        if done < text.count { body(UnsafeBufferPointer(rebasing: text[done...]), nil) }
    }

    private func longestMatch(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> (token: AddedToken, end: Int)? {
        var node = ByteTrie.root
        var found: (Int, Int)?
        var position = start
        while position < text.count, let child = trie.child(of: node, text[position]) {
            node = child
            position += 1
            if let token = trie.value(at: node) { found = (Int(token), position) }
        }
        return found.map { (tokens[$0.0], $0.1) }
    }

    private func endOfSpaces(from start: Int, in text: UnsafeBufferPointer<UInt8>) -> Int {
        guard let base = text.baseAddress else { return start }
        return ScalarScanner(bytes: base, end: text.count).endOfRun(of: .space, from: start)
    }

    private func startOfSpaces(before end: Int, in text: UnsafeBufferPointer<UInt8>) -> Int {
        var start = end
        while let scalar = Self.scalar(before: start, in: text), scalar.properties.isWhitespace {
            start -= UTF8.width(scalar)
        }
        return start
    }

    private func isWordCharacter(before end: Int, in text: UnsafeBufferPointer<UInt8>) -> Bool {
        Self.scalar(before: end, in: text).map(Self.isWordCharacter) ?? false
    }

    private func isWordCharacter(at start: Int, in text: UnsafeBufferPointer<UInt8>) -> Bool {
        let scalar = String(decoding: text[start..<min(start + 4, text.count)], as: UTF8.self).unicodeScalars.first
        return scalar.map(Self.isWordCharacter) ?? false
    }

    private static func scalar(before end: Int, in text: UnsafeBufferPointer<UInt8>) -> Unicode.Scalar? {
        var start = end
        repeat { start -= 1 } while start >= 0 && UTF8.isContinuation(text[start])
        return start < 0 ? nil : String(decoding: text[start..<end], as: UTF8.self).unicodeScalars.first
    }

    /// `\w` as regular expressions define it over Unicode (Unicode Technical Standard 18, annex C).
    private static func isWordCharacter(_ scalar: Unicode.Scalar) -> Bool {
        let properties = scalar.properties
        if properties.isAlphabetic || properties.isJoinControl { return true }
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
        default: return false
        }
    }
}
