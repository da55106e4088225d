package import SparseCoding

extension Allowed {
    /// Checks the value of a setting.
    ///
    /// - Parameter name: the setting, such as `window`.
    /// - Throws: `WorkflowError.usage` for a value that is not allowed.
    package func check(_ value: Value, of name: String) throws(WorkflowError) {
        if let words = objection(to: value) { throw .usage("`\(name)` is \(value); allowed: \(words)") }
    }
}
