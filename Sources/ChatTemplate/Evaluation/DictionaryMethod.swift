/// The methods of Python's dictionaries that do not modify.
enum DictionaryMethod: String {
    case copy, get, items, keys, values

    /// Methods that modify, which the sandbox hides (`_mutable_spec` in jinja2/sandbox.py).
    static let hidden: Set<String> = ["clear", "pop", "popitem", "setdefault", "update"]
}

extension Interpreter {
    func call(_ method: DictionaryMethod, of map: OrderedMap, _ arguments: CallArguments) throws -> Value {
        guard method == .get else {
            _ = try values(arguments, for: [], of: method.rawValue)
            switch method {
            case .items: return .view(DictionaryView(part: .items, items: try pairs(of: map)))
            case .keys: return .view(DictionaryView(part: .keys, items: try items(map.entries.map(\.key))))
            case .values: return .view(DictionaryView(part: .values, items: try items(map.entries.map(\.value))))
            default: return .dictionary(map)
            }
        }

        let given = try values(arguments, for: ["key", "default"], required: 1, of: "get")
        return map[try key(given[0] ?? .none)] ?? given[1] ?? .none
    }

    func pairs(of map: OrderedMap) throws -> Items {
        try items(try map.entries.map { try tuple([$0.key, $0.value]) })
    }

    func callListMethod(_ name: String, of receiver: Value, _ arguments: CallArguments) throws -> Value {
        let sought = try values(arguments, for: ["value"], required: 1, of: name)[0] ?? .none
        let elements = try elements(of: receiver)
        let places = try elements.indices.filter { try equal(elements[$0], sought) }
        if name == "count" { return .integer(places.count) }
        guard let first = places.first else { throw failure("the value is not in the list") }
        return .integer(first)
    }

    /// `loop.cycle(…)` and `loop.changed(…)`
    func callLoopMember(_ name: String, of loop: LoopState, _ arguments: CallArguments) throws -> Value {
        guard arguments.named.isEmpty else { throw failure("loop.\(name) takes no keyword arguments") }
        let given = arguments.positional
        if name == "cycle" {
            guard !given.isEmpty else { throw failure("no items for cycling given") }
            return given[loop.index % given.count]
        }
        defer { loop.lastValues = given }
        guard let last = loop.lastValues, last.count == given.count else { return .boolean(true) }
        return .boolean(try !zip(last, given).allSatisfy { try equal($0, $1) })
    }
}
