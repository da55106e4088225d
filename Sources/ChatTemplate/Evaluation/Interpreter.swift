/// Renders a template: executes its statements and charges their work against the limits.
final class Interpreter {
    let date: CalendarDate
    /// The line being evaluated, for messages.
    var line = 1
    var scope = Scope(within: nil)
    private var depth = 0
    private var work = 0
    /// The text so far; within a macro or a captured block, its own.
    private var output = Text()
    /// Objects with reference semantics, which could form cycles.
    private var retainedNamespaces: [Namespace] = []
    private var retainedScopes: [Scope] = []

    init(date: CalendarDate) { self.date = date }

    /// How a body ends.
    enum Flow { case next, breakLoop, continueLoop }

    func render(_ statements: [Statement], variables: [String: Value]) throws -> Text {
        scope.values = variables
        // The template's own names hide its variables.
        scope = Scope(within: scope)
        _ = try execute(statements)
        return output
    }

    /// Breaks reference cycles.
    func releaseAll() {
        for namespace in retainedNamespaces { namespace.attributes = [] }
        for scope in retainedScopes { scope.values = [:] }
    }

    // MARK: Limits and complaints

    func failure(_ problem: String) -> ChatTemplateError { .failed(line: line, problem: problem) }

    func unsupported(_ construct: String) -> ChatTemplateError { .unsupported(line: line, construct: construct) }

    func excess(_ what: String) -> ChatTemplateError { .excessive(line: line, what: what) }

    /// Counts work; see `TemplateLimits.work`.
    func charge(_ amount: Int) throws {
        let (sum, overflows) = work.addingReportingOverflow(amount)
        work = sum
        guard !overflows, work <= TemplateLimits.work else {
            throw excess("it takes more than \(TemplateLimits.work) steps")
        }
    }

    /// Evaluates something within what is being evaluated.
    @inline(__always)
    func within<Result>(_ newLine: Int, _ evaluate: () throws -> Result) throws -> Result {
        guard depth < TemplateLimits.evaluationDepth else {
            throw excess("more than \(TemplateLimits.evaluationDepth) evaluations within one another")
        }
        depth += 1
        defer { depth -= 1 }
        line = newLine
        try charge(1)
        return try evaluate()
    }

    func keep(_ namespace: Namespace) throws {
        guard retainedNamespaces.count < TemplateLimits.retained else {
            throw excess("it makes more than \(TemplateLimits.retained) namespaces")
        }
        retainedNamespaces.append(namespace)
    }

    private func keepScope() throws {
        guard retainedScopes.last !== scope else { return }
        guard retainedScopes.count < TemplateLimits.retained else {
            throw excess("it makes more than \(TemplateLimits.retained) macros")
        }
        retainedScopes.append(scope)
    }

    // MARK: Output

    func write(_ text: Text) throws {
        try charge(text.count / 4)
        guard output.count + text.count <= TemplateLimits.text else {
            throw excess("it writes more than \(TemplateLimits.text) characters")
        }
        output.scalars += text.scalars
    }

    /// The output of statements, captured, in a scope of their own.
    func captured(in newScope: Scope, _ write: () throws -> Void) throws -> Text {
        let (outerOutput, outerScope) = (output, scope)
        (output, scope) = (Text(), newScope)
        defer { (output, scope) = (outerOutput, outerScope) }
        try write()
        return output
    }

    // MARK: Statements

    func execute(_ statements: [Statement]) throws -> Flow {
        for statement in statements {
            let flow = try within(statement.line) { try execute(statement) }
            if flow != .next { return flow }
        }
        return .next
    }

    private func execute(_ statement: Statement) throws -> Flow {
        switch statement.kind {
        case .text(let text): try write(text)
        case .output(let values): for value in values { try write(try text(of: try evaluate(value))) }
        case .condition(let branches, let otherwise):
            for branch in branches where try evaluate(branch.test).isTrue { return try execute(branch.body) }
            return try execute(otherwise)
        case .loop(let loop): return try execute(loop)
        case .set(let target, let value): try assign(try evaluate(value), to: target)
        case .setBlock(let target, let filter, let body):
            let text = try capturedBody(body)
            try assign(try filter.map { try evaluate($0, on: text) } ?? .text(text), to: target)
        case .macro(let definition):
            try keepScope()
            scope.values[definition.name] = .macro(Macro(definition: definition, scope: scope))
        case .call(let call, let caller): try write(try text(of: try evaluate(call, caller: caller)))
        case .filterBlock(let filter, let body):
            try write(try text(of: try evaluate(filter, on: try capturedBody(body))))
        case .with(let values, let body):
            // Values are those outside.
            let evaluated = try values.map { ($0.target, try evaluate($0.value)) }
            return try inner {
                for (target, value) in evaluated { try assign(value, to: target) }
            } body: {
                body
            }
        case .generation(let body): try write(try capturedBody(body))
        case .breakLoop: return .breakLoop
        case .continueLoop: return .continueLoop
        }
        return .next
    }

    private func capturedBody(_ body: [Statement]) throws -> Text {
        try captured(in: Scope(within: scope)) { _ = try execute(body) }
    }

    /// Executes a body in a scope of its own.
    private func inner(_ prepare: () throws -> Void, body: () -> [Statement]) throws -> Flow {
        let outer = scope
        scope = Scope(within: outer)
        defer { scope = outer }
        try prepare()
        return try execute(body())
    }

    private func execute(_ loop: Statement.Loop) throws -> Flow {
        var elements = try elements(of: try evaluate(loop.values))
        if let condition = loop.condition {
            elements = try elements.filter { element in
                var isWanted = false
                _ = try inner {
                    try assign(element, to: loop.target)
                    isWanted = try evaluate(condition).isTrue
                } body: {
                    []
                }
                return isWanted
            }
        }

        let state = LoopState(Items(elements))
        // Jinja's `else` is for loops of which no body came to its end.
        var isCompleted = false
        for (index, element) in elements.enumerated() {
            try charge(1)
            state.index = index
            let flow = try inner {
                scope.values["loop"] = .loop(state)
                try assign(element, to: loop.target)
            } body: {
                loop.body
            }
            if flow == .breakLoop { break }
            if flow == .next { isCompleted = true }
        }
        return isCompleted ? .next : try inner({}, body: { loop.otherwise })
    }

    func assign(_ value: Value, to target: Statement.Target) throws {
        switch target {
        case .name(let name): scope.values[name] = value
        case .attribute(let namespace, let name):
            guard case .namespace(let namespace)? = scope.value(namespace) else {
                throw failure("cannot assign attribute on non-namespace object '\(namespace)'")
            }
            try set(name, of: namespace, to: value)
        case .tuple(let targets):
            if case .undefined(let why) = value { throw failure(why) }
            let elements = try elements(of: value)
            guard elements.count == targets.count else {
                throw failure("\(elements.count) values where \(targets.count) are expected")
            }
            for (target, element) in zip(targets, elements) { try assign(element, to: target) }
        }
    }

    /// Names that begin with an underscore are refused, as in transformers.
    func set(_ name: String, of namespace: Namespace, to value: Value) throws {
        guard !name.hasPrefix("_") else {
            throw failure("a namespace takes no attribute that begins with an underscore, such as '\(name)'")
        }
        try charge(namespace.attributes.count)
        namespace[name] = value
    }

    /// Calls a macro.
    func call(_ macro: Macro, _ arguments: CallArguments) throws -> Value {
        let definition = macro.definition
        let inner = Scope(within: macro.scope)
        var named = arguments.named
        let text = try captured(in: inner) {
            for (index, parameter) in definition.parameters.enumerated() {
                if index < arguments.positional.count {
                    scope.values[parameter.name] = arguments.positional[index]
                } else if let place = named.firstIndex(where: { $0.name == parameter.name }) {
                    scope.values[parameter.name] = named.remove(at: place).value
                } else if let fallback = parameter.fallback {
                    scope.values[parameter.name] = try evaluate(fallback)
                } else {
                    scope.values[parameter.name] = .undefined("parameter '\(parameter.name)' was not provided")
                }
            }
            try bindSpecial(of: definition, arguments, &named)
            _ = try execute(definition.body)
        }
        return .text(text)
    }

    private func bindSpecial(
        of definition: MacroDefinition, _ arguments: CallArguments, _ named: inout [(name: String, value: Value)]
    ) throws {
        if definition.special.contains("caller") {
            let place = named.firstIndex { $0.name == "caller" }
            scope.values["caller"] = place.map { named.remove(at: $0).value } ?? .undefined("No caller defined")
        }
        if definition.special.contains("kwargs") {
            var map = OrderedMap()
            for (name, value) in named { map.set(Text(name), to: value) }
            scope.values["kwargs"] = try dictionary(map)
        } else if let extra = named.first {
            throw failure("macro '\(definition.name)' takes no keyword argument '\(extra.name)'")
        }

        let extra = arguments.positional.dropFirst(definition.parameters.count)
        if definition.special.contains("varargs") {
            scope.values["varargs"] = try tuple(Array(extra))
        } else if !extra.isEmpty {
            throw failure(
                "macro '\(definition.name)' takes not more than \(definition.parameters.count) argument(s)")
        }
    }

    /// The macro of a call block, whose body is known by the name `caller`.
    func callerMacro(_ definition: MacroDefinition) throws -> Value {
        try keepScope()
        return .macro(Macro(definition: definition, scope: scope))
    }
}
