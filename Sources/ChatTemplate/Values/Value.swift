/// The value of an expression.
package enum Value {
    /// A missing name or element, with the message for those who need it (jinja2's `Undefined`).
    case undefined(String)
    case none
    case boolean(Bool)
    case integer(Int)
    case number(Double)
    case text(Text)
    case list(Items)
    case tuple(Items)
    case dictionary(OrderedMap)
    case range(ArithmeticRange)
    case view(DictionaryView)
    case iterator(ValueIterator)
    case namespace(Namespace)
    case macro(Macro)
    case loop(LoopState)
    case function(TemplateFunction)
    case method(BoundMethod)

    /// Nesting depth. Namespaces and macros count as 0, since the interpreter holds them all.
    var depth: Int {
        switch self {
        case .list(let items), .tuple(let items): items.depth
        case .dictionary(let map): map.depth
        case .view(let view): view.items.depth + 1
        case .iterator(let iterator): iterator.items.depth + 1
        case .loop(let loop): loop.items.depth + 1
        case .method(let method): method.receiver.depth + 1
        default: 0
        }
    }

    /// The name of its Python type.
    var kind: String {
        switch self {
        case .undefined: "Undefined"
        case .none: "None"
        case .boolean: "bool"
        case .integer: "int"
        case .number: "float"
        case .text: "str"
        case .list: "list"
        case .tuple: "tuple"
        case .dictionary: "dict"
        case .range: "range"
        case .view(let view): "dict_\(view.part.rawValue)"
        case .iterator: "generator"
        case .namespace: "namespace"
        case .macro: "macro"
        case .loop: "loop"
        case .function: "function"
        case .method: "method"
        }
    }

    /// Python's truth value.
    var isTrue: Bool {
        switch self {
        case .undefined, .none: false
        case .boolean(let flag): flag
        case .integer(let number): number != 0
        case .number(let number): number != 0
        case .text(let text): text.count > 0
        case .list(let items), .tuple(let items): items.count > 0
        case .dictionary(let map): !map.entries.isEmpty
        case .range(let range): range.count > 0
        case .view(let view): view.items.count > 0
        // A loop has a length, which is above 0.
        case .iterator, .namespace, .macro, .loop, .function, .method: true
        }
    }

    /// An integer; true and false are integers as well.
    var wholeNumber: Int? {
        switch self {
        case .boolean(let flag): flag ? 1 : 0
        case .integer(let number): number
        default: nil
        }
    }

    /// Any number.
    var realNumber: Double? {
        if case .number(let number) = self { number } else { wholeNumber.map(Double.init) }
    }
}

/// `range(…)`, which is at most `TemplateLimits.range` long.
package struct ArithmeticRange {
    let start: Int
    let step: Int
    let count: Int

    func element(_ index: Int) -> Value { .integer(start &+ index &* step) }
}

/// The result of `items()`, `keys()` and `values()`: it has a length and an order, but no indices.
package struct DictionaryView {
    enum Part: String { case items, keys, values }

    let part: Part
    let items: Items
}

/// The result of filters such as `map` and `select`: its elements can be read once, in order.
package final class ValueIterator {
    let items: Items
    private(set) var taken = 0

    init(_ items: Items) { self.items = items }

    func next() -> Value? {
        guard taken < items.count else { return nil }
        taken += 1
        return items.elements[taken - 1]
    }

    func rest() -> [Value] {
        defer { taken = items.count }
        return Array(items.elements[taken...])
    }
}

/// The only value that a template can modify from within a loop.
package final class Namespace {
    var attributes: [(name: String, value: Value)] = []

    subscript(name: String) -> Value? {
        get { attributes.first { $0.name == name }?.value }
        set {
            guard let newValue else { return }
            if let place = attributes.firstIndex(where: { $0.name == name }) {
                attributes[place].value = newValue
            } else {
                attributes.append((name, newValue))
            }
        }
    }
}

/// A method of a text, a list or a dictionary, before it is called.
package struct BoundMethod {
    let receivers: [Value]
    let name: String

    init(_ receiver: Value, _ name: String) {
        receivers = [receiver]
        self.name = name
    }

    var receiver: Value { receivers[0] }
}
