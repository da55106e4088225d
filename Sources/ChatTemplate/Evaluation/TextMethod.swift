/// The methods of Python's strings that templates use.
enum TextMethod: String {
    case capitalize, count, endswith, find, index, isalnum, isalpha, isdigit, islower, isspace, isupper, join, lower
    case lstrip, partition, removeprefix, removesuffix, replace, rfind, rpartition, rsplit, rstrip, split, splitlines
    case startswith, strip, title, upper

    /// Python's string methods that are not supported.
    static let others: Set<String> = [
        "casefold", "center", "encode", "expandtabs", "format", "format_map", "isascii", "isdecimal", "isidentifier",
        "isnumeric", "isprintable", "istitle", "ljust", "maketrans", "rindex", "rjust", "swapcase", "translate",
        "zfill",
    ]
}

extension Interpreter {
    func call(_ method: BoundMethod, _ arguments: CallArguments) throws -> Value {
        switch method.receiver {
        case .text(let text):
            guard let known = TextMethod(rawValue: method.name) else {
                throw unsupported("the method '\(method.name)'")
            }
            try charge(text.count / 4)
            return try call(known, of: text, arguments)
        case .dictionary(let map):
            guard let known = DictionaryMethod(rawValue: method.name) else {
                throw unsupported("the method '\(method.name)'")
            }
            return try call(known, of: map, arguments)
        case .loop(let loop): return try callLoopMember(method.name, of: loop, arguments)
        default: return try callListMethod(method.name, of: method.receiver, arguments)
        }
    }

    private func call(_ method: TextMethod, of text: Text, _ arguments: CallArguments) throws -> Value {
        let what = method.rawValue
        switch method {
        case .upper, .lower, .title, .capitalize, .isalnum, .isalpha, .isdigit, .islower, .isspace, .isupper:
            _ = try values(arguments, for: [], of: what)
            return try inspected(text, method)
        case .strip, .lstrip, .rstrip:
            let characters = try values(arguments, for: ["chars"], of: what)[0]
            let set = try characters.flatMap { value -> Text? in
                if case .none = value { nil } else { try string(value, as: "what \(what) takes away") }
            }
            return try self.text(text.stripped(of: set, left: method != .rstrip, right: method != .lstrip))
        case .split, .rsplit: return try split(text, arguments, fromEnd: method == .rsplit)
        case .splitlines:
            let keeps = try values(arguments, for: ["keepends"], of: what)[0]?.isTrue ?? false
            return try list(text.lines(keepingEnds: keeps).map(Value.text))
        case .partition, .rpartition: return try parted(text, arguments, atLast: method == .rpartition)
        case .startswith, .endswith:
            let sought = try values(arguments, for: ["prefix"], required: 1, of: what)[0] ?? .none
            return .boolean(try borders(text, sought, atEnd: method == .endswith))
        case .removeprefix, .removesuffix:
            let given = try values(arguments, for: ["affix"], required: 1, of: what)[0] ?? .none
            let affix = try string(given, as: "what \(what) takes away")
            let isThere = method == .removeprefix ? text.starts(with: affix) : text.ends(with: affix)
            guard isThere else { return .text(text) }
            return try self.text(
                Text(
                    scalars: method == .removeprefix
                        ? text.scalars.dropFirst(affix.count) : text.scalars.dropLast(affix.count)))
        case .replace:
            let given = try values(arguments, for: ["old", "new", "count"], required: 2, of: what)
            return try replaced(
                text, try string(given[0] ?? .none, as: "what is replaced"),
                try string(given[1] ?? .none, as: "what replaces it"),
                atMost: try given[2].map { try integer($0, as: "the count of replace") } ?? -1)
        case .find, .rfind, .index, .count: return try sought(text, method, arguments)
        case .join:
            let parts = try values(arguments, for: ["iterable"], required: 1, of: what)[0] ?? .none
            if case .undefined = parts { return .text(Text()) }
            return try joined(
                try elements(of: parts).map { try string($0, as: "an element of what is joined") }, by: text)
        }
    }

    private func inspected(_ text: Text, _ method: TextMethod) throws -> Value {
        func all(_ holds: (Unicode.Scalar) -> Bool) -> Value {
            .boolean(text.count > 0 && text.scalars.allSatisfy(holds))
        }
        switch method {
        case .upper: return try self.text(text.uppercased)
        case .lower: return try self.text(text.lowercased)
        case .title: return try self.text(text.titled)
        case .capitalize: return try self.text(text.capitalized)
        case .isspace: return all(\.isPythonSpace)
        case .isalpha: return all(\.isLetter)
        case .isdigit: return all(\.isPythonDigit)
        case .isalnum: return all { $0.isLetter || $0.properties.numericType != nil }
        default: return .boolean(text.isAll(upper: method == .isupper))
        }
    }

    private func split(_ text: Text, _ arguments: CallArguments, fromEnd: Bool) throws -> Value {
        let given = try values(arguments, for: ["sep", "maxsplit"], of: "split")
        let limit = try given[1].map { try integer($0, as: "the limit of split") } ?? -1
        let parts: [Text]
        switch given[0] ?? .none {
        case .none:
            parts = fromEnd ? text.wordsFromEnd(maximumCuts: limit) : text.words(maximumCuts: limit)
        case let value:
            let separator = try string(value, as: "the separator")
            guard separator.count > 0 else { throw failure("empty separator") }
            parts = text.parts(between: separator, maximumCuts: limit, fromEnd: fromEnd)
        }
        return try list(parts.map(Value.text))
    }

    private func parted(_ text: Text, _ arguments: CallArguments, atLast: Bool) throws -> Value {
        let given = try values(arguments, for: ["sep"], required: 1, of: "partition")[0] ?? .none
        let separator = try string(given, as: "the separator")
        guard separator.count > 0 else { throw failure("empty separator") }
        guard let place = atLast ? text.lastIndex(of: separator) : text.firstIndex(of: separator) else {
            let empty = Value.text(Text())
            return try tuple(atLast ? [empty, empty, .text(text)] : [.text(text), empty, empty])
        }

        let (before, after) = (text.scalars[..<place], text.scalars[(place + separator.count)...])
        return try tuple([.text(Text(scalars: before)), .text(separator), .text(Text(scalars: after))])
    }

    private func borders(_ text: Text, _ sought: Value, atEnd: Bool) throws -> Bool {
        if case .tuple(let choices) = sought {
            return try choices.elements.contains { try borders(text, $0, atEnd: atEnd) }
        }

        let sought = try string(sought, as: "what a string is to begin or end with")
        return atEnd ? text.ends(with: sought) : text.starts(with: sought)
    }

    private func sought(_ text: Text, _ method: TextMethod, _ arguments: CallArguments) throws -> Value {
        let given = try values(arguments, for: ["sub", "start", "end"], required: 1, of: method.rawValue)
        guard given[1] == nil, given[2] == nil else { throw unsupported("'\(method.rawValue)' within bounds") }
        let part = try string(given[0] ?? .none, as: "what is looked for")
        switch method {
        case .count:
            if part.count == 0 { return .integer(text.count + 1) }
            return .integer(text.parts(between: part, maximumCuts: -1).count - 1)
        case .rfind: return .integer(text.lastIndex(of: part) ?? -1)
        default:
            if let place = text.firstIndex(of: part) { return .integer(place) }
            guard method == .find else { throw failure("substring not found") }
            return .integer(-1)
        }
    }

    func replaced(_ text: Text, _ old: Text, _ new: Text, atMost limit: Int) throws -> Value {
        guard let result = text.replacing(old, by: new, atMost: limit, longest: TemplateLimits.text) else {
            throw excess("it makes a text of more than \(TemplateLimits.text) characters")
        }
        return try self.text(result)
    }

    func joined(_ parts: [Text], by separator: Text) throws -> Value {
        var result = Text()
        for (index, part) in parts.enumerated() {
            if index > 0 { result.scalars += separator.scalars }
            result.scalars += part.scalars
            guard result.count <= TemplateLimits.text else {
                throw excess("it makes a text of more than \(TemplateLimits.text) characters")
            }
        }
        return try text(result)
    }
}

extension Unicode.Scalar {
    fileprivate var isLetter: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }

    fileprivate var isPythonDigit: Bool {
        switch properties.numericType {
        case .decimal, .digit: true
        default: false
        }
    }
}
