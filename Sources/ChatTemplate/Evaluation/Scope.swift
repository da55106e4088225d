/// The names visible at a position: those of the enclosing body, and of the bodies around it.
final class Scope {
    var values: [String: Value] = [:]
    let outer: Scope?

    init(within outer: Scope?) { self.outer = outer }

    func value(_ name: String) -> Value? {
        var scope: Scope? = self
        while let current = scope {
            if let value = current.values[name] { return value }
            scope = current.outer
        }
        return nil
    }
}

/// A macro with the scope of its definition.
package struct Macro {
    let definition: MacroDefinition
    let scope: Scope
}

/// The variable `loop`.
package final class LoopState {
    let items: Items
    /// Index of the current element, from 0.
    var index = 0
    /// The last arguments of `changed`.
    var lastValues: [Value]?

    init(_ items: Items) { self.items = items }
}
