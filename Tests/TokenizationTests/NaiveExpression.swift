/// A regular expression that is matched by trying everything in order, as the definition says.
indirect enum NaiveExpression {
    case scalar(Unicode.Scalar)
    case any
    case sequence([NaiveExpression])
    case alternatives([NaiveExpression])
    case optional(NaiveExpression, lazily: Bool)
    /// The body always takes something.
    case repeated(NaiveExpression, lazily: Bool)
    case atomic(NaiveExpression)
    case ahead(NaiveExpression, isNegative: Bool)
    case behind(Unicode.Scalar, isNegative: Bool)

    static func random(depth: Int, using generator: inout SeededGenerator) -> NaiveExpression {
        func letter() -> Unicode.Scalar { ["a", "b", "\u{E9}"].randomElement(using: &generator) ?? "a" }
        func inner() -> NaiveExpression { random(depth: depth - 1, using: &generator) }
        let isNegative = Bool.random(using: &generator)
        switch depth == 0 ? 0 : Int.random(in: 0...11, using: &generator) {
        case 0, 1: return .scalar(letter())
        case 2: return .any
        case 3, 4: return .sequence([inner(), inner()])
        case 5, 6: return .alternatives([inner(), inner(), inner()])
        case 7: return .optional(inner(), lazily: isNegative)
        case 8: return .repeated(.sequence([.scalar(letter()), inner()]), lazily: isNegative)
        case 9: return .atomic(inner())
        case 10: return .ahead(inner(), isNegative: isNegative)
        default: return .behind(letter(), isNegative: isNegative)
        }
    }

    var written: String {
        switch self {
        case .scalar(let scalar): String(scalar)
        case .any: "."
        case .sequence(let parts): parts.map(\.written).joined()
        case .alternatives(let choices): "(?:" + choices.map(\.written).joined(separator: "|") + ")"
        case .optional(let body, let lazily): "(?:\(body.group))?" + (lazily ? "?" : "")
        case .repeated(let body, let lazily): "(?:\(body.written))*" + (lazily ? "?" : "")
        case .atomic(let body): "(?>\(body.written))"
        case .ahead(let body, let isNegative): "(?\(isNegative ? "!" : "=")\(body.written))"
        case .behind(let scalar, let isNegative): "(?<\(isNegative ? "!" : "=")\(scalar))"
        }
    }

    /// In a form that a quantifier may follow: no bare lookaround.
    private var group: String { "(?:)\(written)" }

    /// Calls `goOn` with the ends of the matches from a position on, the preferred first, until it returns true.
    private func match(_ text: [Unicode.Scalar], _ position: Int, _ goOn: (Int) -> Bool) -> Bool {
        switch self {
        case .scalar(let scalar): return position < text.count && text[position] == scalar && goOn(position + 1)
        case .any: return position < text.count && text[position] != "\n" && goOn(position + 1)
        case .sequence(let parts):
            guard let first = parts.first else { return goOn(position) }
            return first.match(text, position) {
                NaiveExpression.sequence(Array(parts.dropFirst())).match(text, $0, goOn)
            }
        case .alternatives(let choices): return choices.contains { $0.match(text, position, goOn) }
        case .optional(let body, let lazily):
            if lazily { return goOn(position) || body.match(text, position, goOn) }
            return body.match(text, position, goOn) || goOn(position)
        case .repeated(let body, let lazily):
            if lazily, goOn(position) { return true }
            if body.match(text, position, { self.match(text, $0, goOn) }) { return true }
            return !lazily && goOn(position)
        case .atomic(let body):
            guard let end = body.end(text, position) else { return false }
            return goOn(end)
        case .ahead(let body, let isNegative): return (body.end(text, position) != nil) != isNegative && goOn(position)
        case .behind(let scalar, let isNegative):
            return (position > 0 && text[position - 1] == scalar) != isNegative && goOn(position)
        }
    }

    private func end(_ text: [Unicode.Scalar], _ position: Int) -> Int? {
        var result: Int?
        _ = match(text, position) {
            result = $0
            return true
        }
        return result
    }

    /// All matches; an empty one at the end of the match before it does not count.
    func matches(in text: [Unicode.Scalar]) -> [String] {
        guard !text.isEmpty else { return [] }
        var found: [String] = []
        var start = 0
        var lastEnd = -1
        while start <= text.count {
            guard let end = end(text, start), end > start || lastEnd != start else {
                start += 1
                continue
            }
            found.append(String(String.UnicodeScalarView(text[start..<end])))
            lastEnd = end
            start = max(end, end > start ? end : start + 1)
        }
        return found
    }
}
