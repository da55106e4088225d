import JSON

extension JSONValue {
    /// The value for a message: short, on one line, without control characters.
    var excerpt: String {
        switch self {
        case .string(let value):
            "\"" + String(value.prefix(40).filter { !$0.isNewline && $0 >= " " }) + (value.count > 40 ? "…\"" : "\"")
        case .array(let value): "a list of \(value.count)"
        case .object: kind
        case .null, .boolean, .integer, .unsigned, .number: JSONWriter.canonical.text(self)
        }
    }
}
