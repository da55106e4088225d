extension Interpreter {
    /// Filters from text to text; nil for others.
    func applyTextFilter(_ name: String, to value: Value, _ arguments: CallArguments) throws -> Value? {
        switch name {
        // Nothing is escaped in a chat, so nothing needs to be marked as safe.
        case "string", "safe", "upper", "lower", "capitalize", "title":
            _ = try values(arguments, for: [], of: name)
            let text = try text(of: value)
            try charge(text.count / 4)
            switch name {
            case "upper": return try self.text(text.uppercased)
            case "lower": return try self.text(text.lowercased)
            case "capitalize": return try self.text(text.capitalized)
            case "title": return try self.text(titled(text))
            default: return .text(text)
            }
        case "trim":
            let characters = try values(arguments, for: ["chars"], of: name)[0] ?? .none
            let set: Text? =
                if case .none = characters { nil } else { try string(characters, as: "what trim takes away") }
            return try self.text(try text(of: value).stripped(of: set))
        case "replace":
            let given = try values(arguments, for: ["old", "new", "count"], required: 2, of: name)
            let limit: Int =
                if let count = given[2], case let number? = count.wholeNumber { number } else { -1 }
            return try replaced(
                try text(of: value), try text(of: given[0] ?? .none), try text(of: given[1] ?? .none), atMost: limit)
        case "join":
            let given = try values(arguments, for: ["d", "attribute"], of: name)
            let parts = try elements(of: value).map { try text(of: try part(of: $0, named: given[1])) }
            return try joined(parts, by: try given[0].map { try text(of: $0) } ?? Text())
        case "indent": return try indented(value, arguments)
        case "wordcount":
            _ = try values(arguments, for: [], of: name)
            return try .integer(wordCount(of: try text(of: value)))
        case "reverse":
            _ = try values(arguments, for: [], of: name)
            guard case .text(let text) = value else { return nil }
            return try self.text(text.reversed)
        default: return nil
        }
    }

    /// Words begin behind white space, a hyphen or an opening bracket, as in Jinja.
    private func titled(_ text: Text) -> Text {
        let borders: Set<Unicode.Scalar> = ["-", "(", "{", "[", "<"]
        var result: [Unicode.Scalar] = []
        var start = 0
        while start < text.count {
            let isBorder = { (scalar: Unicode.Scalar) in scalar.isPythonSpace || borders.contains(scalar) }
            let kind = isBorder(text.scalars[start])
            let end = text.scalars[start...].firstIndex { isBorder($0) != kind } ?? text.count
            result += Text(scalars: text.scalars[start..<start + 1]).uppercased.scalars
            result += Text(scalars: text.scalars[start + 1..<end]).lowercased.scalars
            start = end
        }
        return Text(scalars: result)
    }

    private func indented(_ value: Value, _ arguments: CallArguments) throws -> Value {
        let given = try values(arguments, for: ["width", "first", "blank"], of: "indent")
        let indent: Text
        if case .text(let text)? = given[0] {
            indent = text
        } else {
            let width = try given[0].map { try integer($0, as: "the width of indent") } ?? 4
            try checkLength(max(0, width))
            indent = Text(scalars: repeatElement(" ", count: max(0, width)))
        }

        var lines = try string(value, as: "what is indented").lines()
        // Jinja adds a newline before it cuts, so that a last one makes a last line.
        if lines.isEmpty || (value.endsLine) { lines.append(Text()) }
        let indentsBlank = given[2]?.isTrue ?? false
        var result = given[1]?.isTrue ?? false ? indent : Text()
        for (index, line) in lines.enumerated() {
            if index > 0 {
                result.scalars.append("\n")
                if indentsBlank || line.count > 0 { result.scalars += indent.scalars }
            }
            result.scalars += line.scalars
            guard result.count <= TemplateLimits.text else {
                throw excess("it makes a text of more than \(TemplateLimits.text) characters")
            }
        }
        return try text(result)
    }

    /// Runs of letters, digits and underscores.
    private func wordCount(of text: Text) throws -> Int {
        try charge(text.count / 4)
        var (count, isInWord) = (0, false)
        for scalar in text.scalars {
            let isPart = scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
            if isPart, !isInWord { count += 1 }
            isInWord = isPart
        }
        return count
    }
}

extension Value {
    fileprivate var endsLine: Bool {
        if case .text(let text) = self { text.scalars.last?.isPythonLineBreak ?? false } else { false }
    }
}
