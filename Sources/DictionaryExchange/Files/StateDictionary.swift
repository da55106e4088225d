import JSON

/// The tensors and plain values of a pickled dict, under one level of names.
///
/// Dicts and lists within it are flattened, keys joined by dots: `{"layers": [{"weight": t}]}` has `layers.0.weight`. A
/// list of plain values only stays one value. If one of the keys in `wrappers` holds the state dict and no tensor lies
/// beside it at the top, the names go without that key: `{"state_dict": {"weight": t}, "k": 32}` has the tensor
/// `weight` and the value `k`.
struct StateDictionary {
    /// Keys below which checkpoints keep a state dict.
    static let wrappers: Set<String> = [
        "state_dict", "model_state_dict", "model", "module", "sae", "sae_state_dict", "ae", "autoencoder", "params",
        "weights",
    ]

    private(set) var tensors: [(name: String, index: Int)] = []
    private(set) var values: [String: JSONValue] = [:]

    private let objects: PickledObjects
    private let refusal: (String) -> WeightFileError
    private var names: Set<String> = []
    private var visits = 0
    private var pathBytes = 0

    /// Flattens the dict that a pickle is of.
    ///
    /// - Throws: for a pickle of anything else, keys that are neither texts nor integers, equal names, values that are
    ///   neither plain nor tensors, and too much of anything.
    init(_ objects: PickledObjects, path: String, place: String) throws(WeightFileError) {
        self.objects = objects
        refusal = { WeightFileError(path: path, problem: "\(place): \($0)") }
        guard case .dictionary(let root) = objects.root else {
            throw refusal("holds \(objects.root.kind), expected a dict of tensors; save model.state_dict()")
        }
        try addMembers(of: root, below: "", depth: 0)
        unwrap(objects.dictionaries[root])
    }

    private mutating func addMembers(of dictionary: Int, below prefix: String, depth: Int) throws(WeightFileError) {
        for (key, value) in objects.dictionaries[dictionary] {
            let name: String
            switch key {
            case .text(let index): name = objects.texts[index]
            case .integer(let integer): name = "\(integer)"
            default: throw refusal("has \(key.kind) as a key, expected a text or an integer")
            }
            try add(value, named: prefix + name, depth: depth)
        }
    }

    private mutating func add(_ value: PickledValue, named name: String, depth: Int) throws(WeightFileError) {
        visits += 1
        pathBytes += name.utf8.count
        guard visits <= PickleLimits.visits, pathBytes <= PickleLimits.pathBytes else {
            throw refusal("has more than \(PickleLimits.visits) members or \(PickleLimits.pathBytes) bytes of names")
        }
        guard depth < PickleLimits.depth else {
            throw refusal("has dicts or lists more than \(PickleLimits.depth) deep, or one that holds itself")
        }
        switch value {
        case .dictionary(let index):
            try addMembers(of: index, below: name + ".", depth: depth + 1)
        case .sequence(let index):
            if let array = try plainArray(objects.sequences[index]) {
                try addValue(.array(array), named: name)
            } else {
                for (place, item) in objects.sequences[index].enumerated() {
                    try add(item, named: "\(name).\(place)", depth: depth + 1)
                }
            }
        case .tensor(let index):
            try claim(name)
            tensors.append((name, index))
        default:
            guard let plain = plain(value) else {
                throw refusal("has \(value.kind) at \(WeightFileError.quoted(name))")
            }
            try addValue(plain, named: name)
        }
    }

    private mutating func addValue(_ value: JSONValue, named name: String) throws(WeightFileError) {
        try claim(name)
        values[name] = value
    }

    private mutating func claim(_ name: String) throws(WeightFileError) {
        guard names.insert(name).inserted else { throw refusal("has two entries \(WeightFileError.quoted(name))") }
    }

    /// The items as plain values, nil if one of them is not.
    private mutating func plainArray(_ items: [PickledValue]) throws(WeightFileError) -> [JSONValue]? {
        var array: [JSONValue] = []
        for item in items {
            visits += 1
            guard visits <= PickleLimits.visits else {
                throw refusal("has more than \(PickleLimits.visits) members")
            }
            guard let plain = plain(item) else { return nil }
            array.append(plain)
        }
        return array
    }

    private func plain(_ value: PickledValue) -> JSONValue? {
        switch value {
        case .none: .null
        case .boolean(let value): .boolean(value)
        case .integer(let value): .integer(value)
        case .unsigned(let value): .unsigned(value)
        case .number(let value): .number(value)
        case .text(let index): .string(objects.texts[index])
        default: nil
        }
    }

    /// Drops the wrapper's key from names, unless that would make two equal.
    private mutating func unwrap(_ members: [(key: PickledValue, value: PickledValue)]) {
        var found: [String] = []
        for (key, value) in members {
            if case .tensor = value { return }
            guard case .dictionary = value, let key = objects.text(key), Self.wrappers.contains(key) else { continue }
            if tensors.contains(where: { $0.name.hasPrefix(key + ".") }) { found.append(key + ".") }
        }
        guard found.count == 1, let prefix = found.first else { return }
        func inner(_ name: String) -> String { name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name }
        let renamed = tensors.map { (name: inner($0.name), index: $0.index) }
        let renamedValues = values.map { (inner($0.key), $0.value) }
        let all = renamed.map(\.name) + renamedValues.map(\.0)
        guard Set(all).count == all.count else { return }
        tensors = renamed
        values = Dictionary(uniqueKeysWithValues: renamedValues)
    }
}
