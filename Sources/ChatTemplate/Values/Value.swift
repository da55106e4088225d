/// What an expression of a template comes to.
package enum Value {
    /// A name or an element that is not there, with the complaint of those who cannot do without (jinja2's `Undefined`).
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

    /// How deep lists lie in one another here. Namespaces and macros count as nothing: whoever renders holds them all.
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

    /// What Python calls its type.
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

    /// Whether a condition takes it for true.
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

    /// A whole number, which true and false are as well.
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

/// What `items()`, `keys()` and `values()` give: it has a length and an order, and no places.
package struct DictionaryView {
    enum Part: String { case items, keys, values }

    let part: Part
    let items: Items
}

/// What filters such as `map` and `select` give: its elements can be taken once, one after the other.
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

/// The only thing that a template can change from within a loop.
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
