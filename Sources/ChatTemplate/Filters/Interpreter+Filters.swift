extension Interpreter {
    /// Applies a filter by its name (jinja2/filters.py; `tojson` is that of transformers).
    func apply(_ name: String, to value: Value, _ arguments: CallArguments) throws -> Value {
        if let result = try applyTextFilter(name, to: value, arguments) { return result }
        if let result = try applySelection(name, to: value, arguments) { return result }
        if let result = try applySequenceFilter(name, to: value, arguments) { return result }
        if let result = try applyNumberFilter(name, to: value, arguments) { return result }
        switch name {
        case "default", "d":
            let given = try values(arguments, for: ["default_value", "boolean"], of: name)
            let isMissing = if case .undefined = value { true } else { given[1]?.isTrue == true && !value.isTrue }
            return isMissing ? given[0] ?? .text(Text()) : value
        case "tojson":
            return try json(value, arguments)
        case "attr":
            let given = try values(arguments, for: ["name"], required: 1, of: name)[0] ?? .none
            let attribute = try string(given, as: "the name of an attribute").string
            if case .dictionary = value, DictionaryMethod(rawValue: attribute) == nil {
                return .undefined("'dict object' has no attribute '\(attribute)'")
            }
            return try self.attribute(attribute, of: value)
        default: throw unsupported("the filter '\(name)'")
        }
    }
}
