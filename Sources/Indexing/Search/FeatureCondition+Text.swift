import ActivationPipeline
package import FeatureCatalog

extension FeatureCondition {
    /// Parses a condition: column, operator, value; text may be in single quotes, and `null` means no value.
    ///
    /// - Throws: `WorkflowError.usage`.
    package init(_ text: String, columns: SummaryColumns) throws {
        let name = text.drop(while: \.isWhitespace).prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        let rest = text[name.endIndex...].drop(while: \.isWhitespace)
        guard !name.isEmpty, let (comparison, length) = Self.comparison(at: rest) else {
            throw WorkflowError.usage(
                "`where` '\(text)' is not of the form COLUMN OP VALUE, with one of = != < <= > >= like")
        }

        let column = try columns.named(name)
        let value = try Self.value(rest.dropFirst(length), for: column)
        if value == .null, comparison != .equal, comparison != .notEqual {
            throw WorkflowError.usage("`where` '\(text)': null can only be compared with = and !=")
        }
        self.init(column, comparison, value)
    }

    private static func comparison(at text: Substring) -> (Comparison, length: Int)? {
        // Longer ones first, as `<` is the start of `<=`.
        let symbols: [(String, Comparison)] = [
            ("!=", .notEqual), ("<>", .notEqual), ("<=", .lessOrEqual), (">=", .greaterOrEqual), ("==", .equal),
            ("=", .equal), ("<", .less), (">", .greater),
        ]
        if let (symbol, comparison) = symbols.first(where: { text.hasPrefix($0.0) }) {
            return (comparison, symbol.count)
        }
        return text.prefix(5).lowercased() == "like " ? (.like, 5) : nil
    }

    private static func value(_ text: Substring, for column: SummaryColumns.Column) throws -> CatalogValue {
        var text = text.drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text.removeLast() }
        if text.lowercased() == "null" { return .null }
        if text.count >= 2, text.first == "'", text.last == "'" {
            let parts = text.dropFirst().dropLast().split(separator: "''", omittingEmptySubsequences: false)
            return .text(parts.joined(separator: "'"))
        }
        if column.isText { return .text(String(text)) }
        if let number = Int64(text) { return .integer(number) }
        if let number = Double(text), !number.isNaN { return .real(number) }
        switch text.lowercased() {
        case "true": return .integer(1)
        case "false": return .integer(0)
        default: throw WorkflowError.usage("`where`: column '\(column.name)' holds numbers, and '\(text)' is none")
        }
    }
}
