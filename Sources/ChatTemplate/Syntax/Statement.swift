/// A tag with its bodies, or text between tags.
struct Statement: Sendable {
    /// The target of an assignment.
    indirect enum Target: Sendable {
        case name(String)
        /// An attribute of a namespace.
        case attribute(namespace: String, name: String)
        case tuple([Target])
    }

    struct Loop: Sendable {
        let target: Target
        let values: Expression
        let condition: Expression?
        let body: [Statement]
        let otherwise: [Statement]
    }

    indirect enum Kind: Sendable {
        case text(Text)
        case output([Expression])
        case condition([(test: Expression, body: [Statement])], otherwise: [Statement])
        case loop(Loop)
        case set(Target, Expression)
        /// `{% set x %}…{% endset %}`, through filters.
        case setBlock(Target, filter: Expression?, body: [Statement])
        case macro(MacroDefinition)
        /// `{% call macro() %}…{% endcall %}`
        case call(Expression, caller: MacroDefinition)
        /// `{% filter upper %}…{% endfilter %}`
        case filterBlock(Expression, body: [Statement])
        case with([(target: Target, value: Expression)], body: [Statement])
        /// Marks text to train on; has no effect on rendering.
        case generation(body: [Statement])
        case breakLoop
        case continueLoop
    }

    let kind: Kind
    let line: Int
}

/// A macro definition.
struct MacroDefinition: Sendable {
    let name: String
    let parameters: [(name: String, fallback: Expression?)]
    let body: [Statement]
    /// Which of the names `caller`, `varargs` and `kwargs` it uses: it accepts only those.
    let special: Set<String>
}
