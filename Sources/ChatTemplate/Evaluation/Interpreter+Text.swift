extension Interpreter {
    /// Python's `str` of a value; an undefined one is empty.
    func text(of value: Value) throws -> Text {
        switch value {
        case .undefined: return Text()
        case .text(let text): return text
        default: return try representation(of: value)
        }
    }

    /// Python's `repr` of a value.
    func representation(of value: Value) throws -> Text {
        var result = Text()
        try appendRepresentation(of: value, to: &result)
        try checkLength(result.count)
        return result
    }

    private func appendRepresentation(of value: Value, to result: inout Text) throws {
        try charge(1)
        func append(_ spelling: String) { result.scalars += spelling.unicodeScalars }
        switch value {
        case .undefined: append("Undefined")
        case .none: append("None")
        case .boolean(let flag): append(flag ? "True" : "False")
        case .integer(let number): append(String(number))
        case .number(let number): append(number.pythonSpelling)
        case .text(let text):
            try charge(text.count)
            append(text.pythonLiteral)
        case .list(let items): try appendElements(items.elements, within: "[", "]", to: &result)
        case .tuple(let items):
            try appendElements(items.elements, within: "(", items.count == 1 ? ",)" : ")", to: &result)
        case .dictionary(let map):
            append("{")
            for (index, entry) in map.entries.enumerated() {
                if index > 0 { append(", ") }
                try appendRepresentation(of: entry.key, to: &result)
                append(": ")
                try appendRepresentation(of: entry.value, to: &result)
            }
            append("}")
        case .range(let range):
            let end = range.start &+ range.step &* range.count
            guard range.step == 1 else { throw unsupported("printing a range with a step") }
            append("range(\(range.start), \(end))")
        case .view(let view):
            append("dict_\(view.part.rawValue)(")
            try appendElements(view.items.elements, within: "[", "])", to: &result)
        case .macro(let macro): append("<Macro '\(macro.definition.name)'>")
        case .iterator, .namespace, .loop, .function, .method: throw unsupported("printing a \(value.kind)")
        }
        guard result.count <= 2 * TemplateLimits.text else { throw excess("it makes too long a text") }
    }

    private func appendElements(
        _ elements: [Value], within open: String, _ close: String, to result: inout Text
    ) throws {
        result.scalars += open.unicodeScalars
        for (index, element) in elements.enumerated() {
            if index > 0 { result.scalars += ", ".unicodeScalars }
            try appendRepresentation(of: element, to: &result)
        }
        result.scalars += close.unicodeScalars
    }
}
