extension Interpreter {
    // MARK: Making values

    func list(_ elements: [Value]) throws -> Value { .list(try items(elements)) }

    func tuple(_ elements: [Value]) throws -> Value { .tuple(try items(elements)) }

    func iterator(_ elements: [Value]) throws -> Value { .iterator(ValueIterator(try items(elements))) }

    func items(_ elements: [Value]) throws -> Items {
        try charge(elements.count)
        let items = Items(elements)
        try checkDepth(items.depth)
        return items
    }

    func dictionary(_ map: OrderedMap) throws -> Value {
        try charge(map.entries.count)
        try checkDepth(map.depth)
        return .dictionary(map)
    }

    private func checkDepth(_ depth: Int) throws {
        guard depth <= TemplateLimits.valueDepth else {
            throw excess("lists more than \(TemplateLimits.valueDepth) levels within one another")
        }
    }

    func text(_ text: Text) throws -> Value {
        try checkLength(text.count)
        return .text(text)
    }

    /// Checks the length of a text before it is made.
    func checkLength(_ count: Int) throws {
        guard count <= TemplateLimits.text else {
            throw excess("it makes a text of more than \(TemplateLimits.text) characters")
        }
        try charge(count / 4)
    }

    func key(_ value: Value) throws -> OrderedMap.Key {
        if case .text(let text) = value { try charge(text.count / 4) }
        if case .tuple = value { throw unsupported("a tuple as a key") }
        guard let key = OrderedMap.Key(value) else { throw failure("unhashable type: '\(value.kind)'") }
        return key
    }

    // MARK: Taking them apart

    /// The elements that a loop over a value visits.
    func elements(of value: Value) throws -> [Value] {
        let elements: [Value]
        switch value {
        case .undefined: elements = []
        case .list(let items), .tuple(let items): elements = items.elements
        case .dictionary(let map): elements = map.entries.map(\.key)
        case .text(let text): elements = text.scalars.map { .text(Text(scalars: CollectionOfOne($0))) }
        case .range(let range): elements = (0..<range.count).map(range.element)
        case .view(let view): elements = view.items.elements
        case .iterator(let iterator): elements = iterator.rest()
        default: throw failure("'\(value.kind)' object is not iterable")
        }
        try charge(elements.count)
        return elements
    }

    /// `len(value)`
    func length(of value: Value) throws -> Int {
        switch value {
        case .undefined: 0
        case .text(let text): text.count
        case .list(let items), .tuple(let items): items.count
        case .dictionary(let map): map.entries.count
        case .range(let range): range.count
        case .view(let view): view.items.count
        case .loop(let loop): loop.items.count
        default: throw failure("object of type '\(value.kind)' has no len()")
        }
    }

    // MARK: Comparing them

    /// `one == other`
    func equal(_ one: Value, _ other: Value) throws -> Bool {
        try charge(1)
        if let one = one.wholeNumber, let other = other.wholeNumber { return one == other }
        if let one = one.realNumber, let other = other.realNumber { return one == other }
        switch (one, other) {
        case (.undefined, .undefined), (.none, .none): return true
        case (.text(let one), .text(let other)):
            try charge(min(one.count, other.count) / 4)
            return one == other
        case (.list(let one), .list(let other)), (.tuple(let one), .tuple(let other)):
            return try one.count == other.count
                && zip(one.elements, other.elements).allSatisfy { try equal($0, $1) }
        case (.dictionary(let one), .dictionary(let other)):
            return try one.entries.count == other.entries.count
                && one.entries.allSatisfy { entry in
                    guard let value = other[try key(entry.key)] else { return false }
                    return try equal(entry.value, value)
                }
        case (.range(let one), .range(let other)):
            return one.count == other.count
                && (one.count == 0 || one.start == other.start && (one.count == 1 || one.step == other.step))
        case (.namespace(let one), .namespace(let other)): return one === other
        case (.iterator(let one), .iterator(let other)): return one === other
        case (.loop(let one), .loop(let other)): return one === other
        case (.macro(let one), .macro(let other)):
            return one.scope === other.scope && one.definition.name == other.definition.name
        case (.function(let one), .function(let other)): return one == other
        case (.view(let one), .view(let other)) where one.part != .values && one.part == other.part:
            throw unsupported("comparing views of dictionaries")
        default: return false
        }
    }

    /// `one < other`
    func precedes(_ one: Value, _ other: Value) throws -> Bool {
        try charge(1)
        for case .undefined(let why) in [one, other] { throw failure(why) }
        if let one = one.wholeNumber, let other = other.wholeNumber { return one < other }
        if let one = one.realNumber, let other = other.realNumber { return one < other }
        switch (one, other) {
        case (.text(let one), .text(let other)):
            try charge(min(one.count, other.count) / 4)
            return one < other
        case (.list(let one), .list(let other)), (.tuple(let one), .tuple(let other)):
            for (one, other) in zip(one.elements, other.elements) where try !equal(one, other) {
                return try precedes(one, other)
            }
            return one.count < other.count
        default: throw failure("'<' not supported between instances of '\(one.kind)' and '\(other.kind)'")
        }
    }

    /// `value in container`
    func contains(_ container: Value, _ value: Value) throws -> Bool {
        switch container {
        case .text(let text):
            guard case .text(let part) = value else {
                throw failure("'in <string>' requires string as left operand, not \(value.kind)")
            }
            try charge((text.count + part.count) / 4)
            return text.firstIndex(of: part) != nil
        case .dictionary(let map): return map[try key(value)] != nil
        case .iterator(let iterator):
            while let element = iterator.next() { if try equal(element, value) { return true } }
            return false
        case .undefined, .list, .tuple, .range, .view:
            for element in try elements(of: container) where try equal(element, value) { return true }
            return false
        default: throw failure("argument of type '\(container.kind)' is not iterable")
        }
    }
}
