extension Interpreter {
    /// `value.name`: Python's attribute takes precedence over a dictionary's entry (`SandboxedEnvironment.getattr`).
    func attribute(_ name: String, of value: Value) throws -> Value {
        if let member = try member(name, of: value) { return member }
        if case .dictionary(let map) = value, let entry = map[try key(.text(Text(name)))] { return entry }
        return .undefined("'\(value.description)' has no attribute '\(name)'")
    }

    /// Python's attribute of a name; nil if there is none, or the sandbox hides it.
    private func member(_ name: String, of value: Value) throws -> Value? {
        if case .undefined(let why) = value { throw failure(why) }
        guard !name.hasPrefix("_") else { return nil }
        switch value {
        case .text:
            if TextMethod(rawValue: name) != nil { return .method(BoundMethod(value, name)) }
            if TextMethod.others.contains(name) { throw unsupported("the method '\(name)' of a string") }
        case .dictionary:
            if DictionaryMethod(rawValue: name) != nil { return .method(BoundMethod(value, name)) }
            // The sandbox hides what changes a dictionary: clear, pop, popitem, setdefault, update.
            if DictionaryMethod.hidden.contains(name) {
                return .undefined("access to attribute '\(name)' of 'dict' object is unsafe.")
            }
            if name == "fromkeys" { throw unsupported("the method 'fromkeys' of a dictionary") }
        case .list, .tuple:
            if name == "index" || name == "count" { return .method(BoundMethod(value, name)) }
            if case .list = value,
                ["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"].contains(name)
            {
                return .undefined("access to attribute '\(name)' of 'list' object is unsafe.")
            }
            if name == "copy", case .list = value { throw unsupported("the method 'copy' of a list") }
        case .namespace(let namespace): return namespace[name]
        case .loop(let loop): return loopMember(name, of: loop)
        case .macro(let macro):
            if name == "name" { return .text(Text(macro.definition.name)) }
            throw unsupported("the attribute '\(name)' of a macro")
        default: break
        }
        return nil
    }

    private func loopMember(_ name: String, of loop: LoopState) -> Value? {
        let (index, count) = (loop.index, loop.items.count)
        switch name {
        case "index": return .integer(index + 1)
        case "index0": return .integer(index)
        case "revindex": return .integer(count - index)
        case "revindex0": return .integer(count - index - 1)
        case "first": return .boolean(index == 0)
        case "last": return .boolean(index == count - 1)
        case "length": return .integer(count)
        case "depth": return .integer(1)
        case "depth0": return .integer(0)
        case "previtem":
            return index > 0 ? loop.items.elements[index - 1] : .undefined("there is no previous item")
        case "nextitem":
            return index + 1 < count ? loop.items.elements[index + 1] : .undefined("there is no next item")
        case "cycle", "changed": return .method(BoundMethod(.loop(loop), name))
        default: return nil
        }
    }

    /// `value[index]`: a dictionary's entry takes precedence over Python's attribute.
    func element(of value: Value, at index: Value) throws -> Value {
        if case .undefined(let why) = value { throw failure(why) }
        if let place = index.wholeNumber, let element = try element(of: value, at: place) { return element }
        if case .dictionary(let map) = value, let key = OrderedMap.Key(index) {
            if case .text(let text) = index { try charge(text.count / 4) }
            if let entry = map[key] { return entry }
        }
        if case .text(let name) = index {
            if name.count < 64, let member = try member(name.string, of: value) { return member }
            return .undefined("'\(value.description)' has no attribute \(shortened(name).pythonLiteral)")
        }
        return .undefined("\(value.description) has no such element")
    }

    private func shortened(_ text: Text) -> Text {
        text.count <= 40 ? text : Text(scalars: text.scalars.prefix(40) + ["…"])
    }

    private func element(of value: Value, at place: Int) throws -> Value? {
        func index(_ count: Int) -> Int? {
            let index = place < 0 ? place + count : place
            return (0..<count).contains(index) ? index : nil
        }
        switch value {
        case .list(let items), .tuple(let items): return index(items.count).map { items.elements[$0] }
        case .text(let text):
            return index(text.count).map { .text(Text(scalars: CollectionOfOne(text.scalars[$0]))) }
        case .range(let range): return index(range.count).map { range.element($0) }
        default: return nil
        }
    }

    /// `value[from:to:step]`
    func slice(of value: Value, from: Value?, to: Value?, step: Value?) throws -> Value {
        func bound(_ value: Value?) throws -> Int? {
            guard let value else { return nil }
            if case .none = value { return nil }
            if case .undefined(let why) = value { throw failure(why) }
            guard let number = value.wholeNumber else { throw failure("slice indices must be integers or None") }
            return number
        }

        let step = try bound(step) ?? 1
        guard step != 0 else { throw failure("slice step cannot be zero") }
        let (from, to) = (try bound(from), try bound(to))
        func cut<Element>(_ elements: [Element]) throws -> [Element] {
            try places(count: elements.count, from: from, to: to, step: step).map { elements[$0] }
        }
        switch value {
        case .undefined(let why): throw failure(why)
        case .text(let text): return try self.text(Text(scalars: try cut(text.scalars)))
        case .list(let items): return try list(try cut(items.elements))
        case .tuple(let items): return try tuple(try cut(items.elements))
        case .range: throw unsupported("a slice of a range")
        default: throw failure("'\(value.kind)' object is not subscriptable")
        }
    }

    /// The indices of a slice, by the rules of Python's `slice.indices`.
    private func places(count: Int, from: Int?, to: Int?, step: Int) throws -> [Int] {
        let (lowest, highest) = step < 0 ? (-1, count - 1) : (0, count)
        func clamped(_ bound: Int?, _ absent: Int) -> Int {
            guard let bound else { return absent }
            return bound < 0 ? max(bound + count, lowest) : min(bound, highest)
        }

        let start = clamped(from, step < 0 ? highest : lowest)
        let end = clamped(to, step < 0 ? lowest : highest)
        try charge(count / 4)
        // A step beyond the ends is as good as any other beyond them, and adds up without overflow.
        let safeStep = max(-count - 1, min(count + 1, step))
        return Array(stride(from: start, to: end, by: safeStep))
    }
}

extension Value {
    /// Jinja's word for it in error messages.
    fileprivate var description: String {
        if case .none = self { "None" } else { "\(kind) object" }
    }
}
