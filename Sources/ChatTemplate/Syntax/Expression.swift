/// A parsed expression.
final class Expression: Sendable {
    /// A literal.
    enum Constant: Sendable {
        case none
        case boolean(Bool)
        case integer(Int)
        case number(Double)
        case text(Text)
    }

    enum Arithmetic: String, Sendable {
        case add = "+"
        case subtract = "-"
        case multiply = "*"
        case divide = "/"
        case floorDivide = "//"
        case remainder = "%"
        case power = "**"
    }

    enum Comparison: String, Sendable {
        case equal = "=="
        case unequal = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case isIn = "in"
        case isNotIn = "not in"
    }

    /// One of several chained comparisons.
    struct Operand: Sendable {
        let comparison: Comparison
        let value: Expression
    }

    /// Arguments of a macro, a filter or a test.
    struct Arguments: Sendable {
        var positional: [Expression] = []
        var named: [(name: String, value: Expression)] = []
        /// `*values`
        var spread: Expression?
        /// `**values`
        var spreadNames: Expression?

        var all: [Expression] { positional + named.map(\.value) + [spread, spreadNames].compactMap(\.self) }
    }

    indirect enum Kind: Sendable {
        case constant(Constant)
        case name(String)
        case list([Expression])
        case tuple([Expression])
        case dictionary([(key: Expression, value: Expression)])
        case not(Expression)
        case negative(Expression)
        case positive(Expression)
        case both(Expression, Expression)
        case either(Expression, Expression)
        case arithmetic(Arithmetic, Expression, Expression)
        case concatenation([Expression])
        case comparison(Expression, [Operand])
        case conditional(test: Expression, then: Expression, otherwise: Expression?)
        case attribute(Expression, String)
        case element(Expression, Expression)
        case slice(Expression, from: Expression?, to: Expression?, step: Expression?)
        case call(Expression, Arguments)
        /// Without a value it applies to the text of a block.
        case filter(Expression?, String, Arguments)
        case test(Expression, String, Arguments)
    }

    let kind: Kind
    let line: Int
    /// Levels of expressions within it, from 1.
    let depth: Int

    init(_ kind: Kind, line: Int) {
        self.kind = kind
        self.line = line
        depth = 1 + (kind.parts.lazy.map(\.depth).max() ?? 0)
    }
}

extension Expression.Kind {
    var parts: [Expression] {
        switch self {
        case .constant, .name: []
        case .list(let parts), .tuple(let parts), .concatenation(let parts): parts
        case .dictionary(let pairs): pairs.flatMap { [$0.key, $0.value] }
        case .not(let part), .negative(let part), .positive(let part), .attribute(let part, _): [part]
        case .both(let one, let other), .either(let one, let other), .arithmetic(_, let one, let other),
            .element(let one, let other):
            [one, other]
        case .comparison(let first, let operands): [first] + operands.map(\.value)
        case .conditional(let test, let then, let otherwise): [test, then] + (otherwise.map { [$0] } ?? [])
        case .slice(let value, let from, let to, let step): [value] + [from, to, step].compactMap(\.self)
        case .call(let value, let arguments): [value] + arguments.all
        case .filter(let value, _, let arguments): (value.map { [$0] } ?? []) + arguments.all
        case .test(let value, _, let arguments): [value] + arguments.all
        }
    }
}
