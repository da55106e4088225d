/// A tag with what belongs to it, or what stands between tags.
struct Statement: Sendable {
    /// What a value is given to.
    indirect enum Target: Sendable {
        case name(String)
        /// Of a namespace.
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
        /// What the model is to be trained on, which makes no difference to the text.
        case generation(body: [Statement])
        case breakLoop
        case continueLoop
    }

    let kind: Kind
    let line: Int
}

/// A macro as it was written.
struct MacroDefinition: Sendable {
    let name: String
    let parameters: [(name: String, fallback: Expression?)]
    let body: [Statement]
    /// Which of the names `caller`, `varargs` and `kwargs` it uses: it takes what it has a use for.
    let special: Set<String>
}
