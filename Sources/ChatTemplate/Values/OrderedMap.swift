/// A dictionary that keeps insertion order, as Python's does; immutable once made.
package struct OrderedMap {
    /// Equality of keys: 1, 1.0 and true are one key.
    enum Key: Hashable {
        case none
        case undefined
        case integer(Int)
        case number(Double)
        case text(Text)
    }

    private(set) var entries: [(key: Value, value: Value)] = []
    private var places: [Key: Int] = [:]
    private(set) var depth = 1

    package init() {}

    /// Adds or replaces an entry.
    mutating func set(_ key: Key, _ name: Value, to value: Value) {
        depth = max(depth, 1 + value.depth)
        if let place = places[key] {
            entries[place].value = value
        } else {
            places[key] = entries.count
            entries.append((name, value))
        }
    }

    /// Adds an entry under a text.
    package mutating func set(_ name: Text, to value: Value) { set(.text(name), .text(name), to: value) }

    subscript(key: Key) -> Value? { places[key].map { entries[$0].value } }
}

extension OrderedMap.Key {
    /// Nil for a value that cannot be a key.
    init?(_ value: Value) {
        switch value {
        case .none: self = .none
        case .undefined: self = .undefined
        case .boolean(let flag): self = .integer(flag ? 1 : 0)
        case .integer(let number): self = .integer(number)
        case .number(let number): self = Int(exactly: number).map(Self.integer) ?? .number(number)
        case .text(let text): self = .text(text)
        default: return nil
        }
    }
}
