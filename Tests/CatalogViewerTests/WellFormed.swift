/// Whether a text is well-formed XML, as strict as a browser is with an SVG file: one root, tags that close, quoted
/// attributes once each, only the predefined entities, and no character that XML does not allow.
enum WellFormed {
    /// The first problem; nil for none.
    static func problem(_ text: String) -> String? {
        if let scalar = text.unicodeScalars.first(where: { !isAllowed($0) }) { return "character \(scalar.value)" }
        var open: [Substring] = []
        var roots = 0
        var rest = text[...]
        while let start = rest.firstIndex(of: "<") {
            if let problem = textProblem(rest[..<start], isOutside: open.isEmpty) { return problem }
            rest = rest[rest.index(after: start)...]
            guard let end = rest.firstIndex(of: ">") else { return "a tag without an end" }
            let tag = rest[..<end]
            rest = rest[rest.index(after: end)...]
            if tag.hasPrefix("/") {
                guard open.popLast() == tag.dropFirst() else { return "</\(tag.dropFirst())> closes another" }
                continue
            }
            let isEmpty = tag.hasSuffix("/")
            let body = isEmpty ? tag.dropLast() : tag
            guard let match = body.wholeMatch(of: /([a-z]+)((?:\s+[a-zA-Z-]+="[^"<]*")*)\s*/) else {
                return "<\(tag.prefix(200))>"
            }
            let names = match.2.matches(of: /\s([a-zA-Z-]+)="([^"]*)"/)
            guard Set(names.map(\.1)).count == names.count else { return "<\(tag.prefix(200))> repeats an attribute" }
            for name in names {
                if let problem = textProblem(name.2, isOutside: false) { return problem }
            }
            if open.isEmpty { roots += 1 }
            if !isEmpty { open.append(match.1) }
        }
        if let problem = textProblem(rest, isOutside: open.isEmpty) { return problem }
        if let last = open.last { return "<\(last)> stays open" }
        return roots == 1 ? nil : "\(roots) roots"
    }

    private static func textProblem(_ text: Substring, isOutside: Bool) -> String? {
        if isOutside, !text.allSatisfy(\.isWhitespace) { return "text outside of the root: \(text.prefix(80))" }
        for place in text.indices where text[place] == "&" {
            guard text[place...].prefixMatch(of: /&(?:amp|lt|gt|quot|apos|#[0-9]+);/) != nil else {
                return "an ampersand: \(text[place...].prefix(20))"
            }
        }
        return nil
    }

    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x9, 0xA, 0xD, 0x20...0xD7FF, 0xE000...0xFFFD, 0x10000...0x10FFFF: true
        default: false
        }
    }
}
