/// The functions and classes that a pickle of tensors names, and what they are given.
extension PickleReader {
    /// Pushes a function or class.
    mutating func pushGlobal(module: String, name: String) throws(WeightFileError) {
        guard let global = PickledGlobal(module: module, name: name) else {
            if module == "torch._utils", name == "_rebuild_tensor_v3" {
                throw refusal("has a tensor of a type that is not read, such as float8 or uint16; save it as float32")
            }
            let asked = WeightFileError.quoted("\(module).\(name)").dropFirst().dropLast()
            throw refusal(
                "asks for \(asked), which is never run; save only tensors, numbers and texts, as torch.save("
                    + "model.state_dict(), path) does")
        }
        stack.append(.global(global))
    }

    /// Pushes the function or class of the two names on the stack.
    mutating func pushNamedGlobal() throws(WeightFileError) {
        let names = try pop(2)
        guard let module = objects.text(names[0]), let name = objects.text(names[1]) else {
            throw refusal("asks for a function by something that is no text")
        }
        try pushGlobal(module: module, name: name)
    }

    /// Pushes the storage of an identifier: ("storage", class, key, device, number of elements).
    mutating func pushStorage(_ identifier: PickledValue) throws(WeightFileError) {
        guard let parts = objects.items(identifier), parts.count == 5, objects.text(parts[0]) == "storage",
            case .global(.storage(let dtype)) = parts[1], let key = objects.text(parts[2]),
            objects.text(parts[3]) != nil, case .integer(let count) = parts[4], count >= 0
        else { throw refusal("has a persistent identifier that is not a storage's") }
        try checkRoom()
        stack.append(.storage(objects.storages.count))
        objects.storages.append(PickledStorage(dtype: dtype, key: key, count: count))
    }

    /// Replaces a function and its arguments by what it stands for.
    mutating func reduce() throws(WeightFileError) {
        let call = try pop(2)
        guard case .global(let global) = call[0], let arguments = objects.items(call[1]) else {
            throw refusal("calls something that is no function")
        }
        switch global {
        case .orderedDictionary:
            guard arguments.isEmpty else { throw refusal("makes an OrderedDict of \(arguments.count) arguments") }
            try pushDictionary()
        case .tensor:
            try pushTensor(arguments)
        case .parameter:
            // The tensor, whether it needs a gradient, hooks.
            guard arguments.count == 3, case .tensor = arguments[0], case .boolean = arguments[1] else {
                throw refusal("makes a parameter of something that is no tensor")
            }
            stack.append(arguments[0])
        case .storage:
            throw refusal("makes a storage without values in the file")
        }
    }

    /// Pushes the tensor of (storage, offset, shape, strides, whether it needs a gradient, hooks, and perhaps whether
    /// its values are to be negated or conjugated).
    private mutating func pushTensor(_ arguments: [PickledValue]) throws(WeightFileError) {
        let limit = StoredTensor.mostDimensions
        guard (6...7).contains(arguments.count), case .storage(let storage) = arguments[0],
            case .integer(let offset) = arguments[1], let shape = objects.integers(arguments[2], limit: limit),
            let strides = objects.integers(arguments[3], limit: limit), case .boolean = arguments[4]
        else { throw refusal("makes a tensor of arguments that are not a tensor's") }
        if arguments.count == 7 {
            guard case .dictionary(let flags) = arguments[6], objects.dictionaries[flags].isEmpty else {
                throw refusal(
                    "has a negated or conjugated view of a tensor; save it with .resolve_neg().resolve_conj()")
            }
        }
        guard objects.tensors.count < PickleLimits.tensors else {
            throw refusal("has more than \(PickleLimits.tensors) tensors")
        }
        stack.append(.tensor(objects.tensors.count))
        objects.tensors.append(PickledTensor(storage: storage, offset: offset, shape: shape, strides: strides))
    }

    /// Takes the attributes of a dict, such as the `_metadata` of a state dict, which are not read.
    mutating func build() throws(WeightFileError) {
        let attributes = try pop(1)[0]
        guard case .dictionary? = stack.last, stack.count > marks.last ?? 0, case .dictionary = attributes else {
            throw refusal("sets attributes of something that is no OrderedDict")
        }
    }
}
