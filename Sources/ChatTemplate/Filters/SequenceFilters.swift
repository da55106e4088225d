extension Interpreter {
    /// Filters on sequences; nil for others.
    func applySequenceFilter(_ name: String, to value: Value, _ arguments: CallArguments) throws -> Value? {
        switch name {
        case "length", "count", "list", "items", "first", "last", "reverse":
            _ = try values(arguments, for: [], of: name)
            return try withoutArguments(name, value)
        case "sort":
            let given = try values(arguments, for: ["reverse", "case_sensitive", "attribute"], of: name)
            let keys = try keyed(try elements(of: value), given[2], caseSensitive: given[1])
            return try list(try sorted(keys, reversed: given[0]?.isTrue ?? false))
        case "dictsort":
            let given = try values(arguments, for: ["case_sensitive", "by", "reverse"], of: name)
            let by = try given[1].map { try text(of: $0) } ?? "key"
            guard by == "key" || by == "value" else { throw failure("dictsort sorts by 'key' or by 'value'") }
            guard case .dictionary(let map) = value else { throw failure("'\(value.kind)' object has no items") }
            let keys = try zip(pairs(of: map).elements, map.entries).map { pair, entry in
                (pair, try folded(by == "key" ? entry.key : entry.value, caseSensitive: given[0]))
            }
            return try list(try sorted(keys, reversed: given[2]?.isTrue ?? false))
        case "unique":
            let given = try values(arguments, for: ["case_sensitive", "attribute"], of: name)
            var seen: Set<OrderedMap.Key> = []
            let keys = try keyed(try elements(of: value), given[1], caseSensitive: given[0])
            return try iterator(try keys.filter { seen.insert(try key($0.key)).inserted }.map(\.value))
        case "min", "max":
            let given = try values(arguments, for: ["case_sensitive", "attribute"], of: name)
            let keys = try keyed(try elements(of: value), given[1], caseSensitive: given[0])
            guard var best = keys.first else { return .undefined("No aggregated item, sequence was empty.") }
            for candidate in keys.dropFirst()
            where try name == "min" ? precedes(candidate.key, best.key) : precedes(best.key, candidate.key) {
                best = candidate
            }
            return best.value
        case "sum":
            let given = try values(arguments, for: ["attribute", "start"], of: name)
            return try elements(of: value).reduce(given[1] ?? .integer(0)) {
                try calculate(.add, $0, try part(of: $1, named: given[0]))
            }
        default: return nil
        }
    }

    private func withoutArguments(_ name: String, _ value: Value) throws -> Value {
        switch name {
        case "length", "count": return .integer(try length(of: value))
        case "list": return try list(try elements(of: value))
        case "items":
            if case .undefined = value { return try iterator([]) }
            guard case .dictionary(let map) = value else {
                throw failure("Can only get item pairs from a mapping.")
            }
            return .iterator(ValueIterator(try pairs(of: map)))
        case "first":
            if case .iterator(let iterator) = value {
                return iterator.next() ?? .undefined("No first item, sequence was empty.")
            }
            return try elements(of: value).first ?? .undefined("No first item, sequence was empty.")
        case "last":
            if case .iterator = value { throw failure("'generator' object is not reversible") }
            return try elements(of: value).last ?? .undefined("No last item, sequence was empty.")
        default:
            let reversed = Array(try elements(of: value).reversed())
            // A generator cannot be reversed, so Jinja makes a list of it.
            if case .iterator = value { return try list(reversed) }
            return try iterator(reversed)
        }
    }

    /// An attribute of a value, nested by dots in the name; the value itself without a name.
    func part(of value: Value, named attribute: Value?, fallback: Value? = nil) throws -> Value {
        guard let attribute else { return value }
        var steps: [Value] = [attribute]
        switch attribute {
        case .none: return value
        case .text(let text):
            steps = text.parts(between: ".", maximumCuts: -1).map { name in
                let isNumber = name.count > 0 && name.scalars.allSatisfy(\.isDigit)
                return isNumber ? Int(name.string).map(Value.integer) ?? .text(name) : .text(name)
            }
        default: break
        }

        var value = value
        for step in steps {
            value = try element(of: value, at: step)
            if case .undefined = value, let fallback { value = fallback }
        }
        return value
    }

    private func keyed(
        _ elements: [Value], _ attribute: Value?, caseSensitive: Value?
    ) throws -> [(value: Value, key: Value)] {
        if case .text(let names)? = attribute, names.scalars.contains(",") {
            throw unsupported("sorting by several attributes")
        }
        return try elements.map { ($0, try folded(try part(of: $0, named: attribute), caseSensitive: caseSensitive)) }
    }

    /// Filters ignore letter case by default.
    private func folded(_ value: Value, caseSensitive: Value?) throws -> Value {
        guard case .text(let text) = value, caseSensitive?.isTrue != true else { return value }
        try charge(text.count / 4)
        return .text(text.lowercased)
    }

    /// A stable sort in either direction. A bottom-up merge sort, as a template's comparisons can fail.
    private func sorted(_ keyed: [(value: Value, key: Value)], reversed: Bool) throws -> [Value] {
        var runs = keyed.map { [$0] }
        while runs.count > 1 {
            runs = try stride(from: 0, to: runs.count, by: 2).map { index in
                guard index + 1 < runs.count else { return runs[index] }
                return try merged(runs[index], runs[index + 1], reversed: reversed)
            }
        }
        return runs.first?.map(\.value) ?? []
    }

    private func merged(
        _ one: [(value: Value, key: Value)], _ other: [(value: Value, key: Value)], reversed: Bool
    ) throws -> [(value: Value, key: Value)] {
        var result: [(value: Value, key: Value)] = []
        var (left, right) = (one[...], other[...])
        while let first = left.first, let second = right.first {
            let swaps = try reversed ? precedes(first.key, second.key) : precedes(second.key, first.key)
            result.append(swaps ? second : first)
            if swaps { right.removeFirst() } else { left.removeFirst() }
        }
        return result + left + right
    }
}
