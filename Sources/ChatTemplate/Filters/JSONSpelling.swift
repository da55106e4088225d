/// Values as JSON, as Python's `json.dumps` writes them for the filter `tojson` of transformers.
struct JSONSpelling {
    var asciiOnly = false
    /// Indentation per level; nil for one line.
    var indent: Text?
    var itemSeparator: Text = ", "
    var keySeparator: Text = ": "
    var sortsKeys = false
}

extension Interpreter {
    func json(_ value: Value, _ arguments: CallArguments) throws -> Value {
        let given = try values(arguments, for: ["ensure_ascii", "indent", "separators", "sort_keys"], of: "tojson")
        var spelling = JSONSpelling()
        spelling.asciiOnly = given[0]?.isTrue ?? false
        spelling.sortsKeys = given[3]?.isTrue ?? false
        switch given[1] ?? .none {
        case .none: break
        case .text(let text): spelling.indent = text
        case let width:
            let count = max(0, try integer(width, as: "the indent of tojson"))
            try checkLength(count)
            spelling.indent = Text(scalars: repeatElement(" ", count: count))
        }
        if spelling.indent != nil { spelling.itemSeparator = "," }
        switch given[2] ?? .none {
        case .none: break
        case let separators:
            let pair = try elements(of: separators)
            guard pair.count == 2 else { throw failure("tojson takes two separators") }
            spelling.itemSeparator = try string(pair[0], as: "a separator")
            spelling.keySeparator = try string(pair[1], as: "a separator")
        }

        var result = Text()
        try append(value, to: &result, by: spelling, level: 0)
        return try text(result)
    }

    private func append(_ value: Value, to result: inout Text, by spelling: JSONSpelling, level: Int) throws {
        try charge(1)
        guard result.count <= TemplateLimits.text else { throw excess("it makes too long a text") }
        switch value {
        case .none: result.scalars += "null".unicodeScalars
        case .boolean(let flag): result.scalars += (flag ? "true" : "false").unicodeScalars
        case .integer(let number): result.scalars += String(number).unicodeScalars
        case .number(let number): result.scalars += number.jsonSpelling.unicodeScalars
        case .text(let text): try appendString(text, to: &result, by: spelling)
        case .list(let items), .tuple(let items):
            try append(items.elements, between: "[", "]", to: &result, by: spelling, level: level) { element, result in
                try append(element, to: &result, by: spelling, level: level + 1)
            }
        case .dictionary(let map):
            var entries = try map.entries.map { (try jsonKey($0.key), $0.value) }
            if spelling.sortsKeys {
                guard map.entries.allSatisfy({ if case .text = $0.key { true } else { false } }) else {
                    throw unsupported("sorting keys that are no strings")
                }
                entries.sort { $0.0 < $1.0 }
            }
            try append(entries, between: "{", "}", to: &result, by: spelling, level: level) { entry, result in
                try appendString(entry.0, to: &result, by: spelling)
                result.scalars += spelling.keySeparator.scalars
                try append(entry.1, to: &result, by: spelling, level: level + 1)
            }
        default: throw failure("Object of type \(value.kind) is not JSON serializable")
        }
    }

    private func append<Element>(
        _ elements: [Element], between open: Unicode.Scalar, _ close: Unicode.Scalar, to result: inout Text,
        by spelling: JSONSpelling, level: Int, _ appendElement: (Element, inout Text) throws -> Void
    ) throws {
        func newLine(_ level: Int) throws {
            guard let indent = spelling.indent else { return }
            try checkLength(result.count + indent.count * level)
            result.scalars.append("\n")
            for _ in 0..<level { result.scalars += indent.scalars }
        }
        result.scalars.append(open)
        for (index, element) in elements.enumerated() {
            if index > 0 { result.scalars += spelling.itemSeparator.scalars }
            try newLine(level + 1)
            try appendElement(element, &result)
        }
        if !elements.isEmpty { try newLine(level) }
        result.scalars.append(close)
    }

    private func jsonKey(_ key: Value) throws -> Text {
        switch key {
        case .text(let text): text
        case .none: "null"
        case .boolean(let flag): flag ? "true" : "false"
        case .integer(let number): Text(String(number))
        case .number(let number): Text(number.jsonSpelling)
        default: throw failure("keys must be str, int, float, bool or None, not \(key.kind)")
        }
    }

    private func appendString(_ text: Text, to result: inout Text, by spelling: JSONSpelling) throws {
        try charge(text.count / 4)
        result.scalars.append("\"")
        for scalar in text.scalars {
            switch scalar {
            case "\"", "\\": result.scalars += ["\\", scalar]
            case "\n": result.scalars += "\\n".unicodeScalars
            case "\r": result.scalars += "\\r".unicodeScalars
            case "\t": result.scalars += "\\t".unicodeScalars
            case "\u{8}": result.scalars += "\\b".unicodeScalars
            case "\u{C}": result.scalars += "\\f".unicodeScalars
            default:
                if scalar.value < 0x20 || spelling.asciiOnly && scalar.value > 0x7E {
                    for unit in String(scalar).utf16 {
                        let digits = String(unit, radix: 16)
                        result.scalars += "\\u".unicodeScalars
                        result.scalars += repeatElement("0", count: 4 - digits.utf8.count)
                        result.scalars += digits.unicodeScalars
                    }
                } else {
                    result.scalars.append(scalar)
                }
            }
        }
        result.scalars.append("\"")
    }
}

extension Double {
    fileprivate var jsonSpelling: String {
        if isNaN { return "NaN" }
        return isInfinite ? self < 0 ? "-Infinity" : "Infinity" : pythonSpelling
    }
}
