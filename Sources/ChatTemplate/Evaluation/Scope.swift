/// The names that are known at a place: those of the body around it, and of the bodies around that.
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

/// A macro, with the names that are known where it stands.
package struct Macro {
    let definition: MacroDefinition
    let scope: Scope
}

/// The variable `loop`.
package final class LoopState {
    let items: Items
    /// Of the present element, from 0.
    var index = 0
    /// What `changed` was asked with last.
    var lastValues: [Value]?

    init(_ items: Items) { self.items = items }
}
