import Safetensors

/// A value that a pickle describes. Containers, texts and tensors are indices into `PickledObjects`, so that a value
/// that holds itself, or is nested thousands deep, needs no recursion to make or to release.
enum PickledValue: Equatable {
    case none
    case boolean(Bool)
    case integer(Int)
    /// Beyond `Int`.
    case unsigned(UInt64)
    case number(Double)
    case text(Int)
    /// A tuple or a list.
    case sequence(Int)
    case dictionary(Int)
    case storage(Int)
    case tensor(Int)
    case global(PickledGlobal)

    /// The kind of value, for messages.
    var kind: String {
        switch self {
        case .none: "None"
        case .boolean: "a boolean"
        case .integer, .unsigned, .number: "a number"
        case .text: "a text"
        case .sequence: "a list"
        case .dictionary: "a dict"
        case .storage: "a storage"
        case .tensor: "a tensor"
        case .global: "a function or class"
        }
    }
}

/// The functions and classes that a pickle of tensors may name. They only say what is meant: none is ever run.
enum PickledGlobal: Equatable {
    /// `collections.OrderedDict`.
    case orderedDictionary
    /// `torch._utils._rebuild_tensor_v2`: a view of a storage.
    case tensor
    /// `torch._utils._rebuild_parameter`: a tensor that was an `nn.Parameter`, as in `dict(model.named_parameters())`.
    case parameter
    /// A class of storage, such as `torch.FloatStorage`.
    case storage(TensorDType)

    private static let storages: [String: TensorDType] = [
        "DoubleStorage": .f64, "FloatStorage": .f32, "HalfStorage": .f16, "BFloat16Storage": .bf16, "LongStorage": .i64,
        "IntStorage": .i32, "ShortStorage": .i16, "CharStorage": .i8, "ByteStorage": .u8, "BoolStorage": .bool,
        "ComplexFloatStorage": .c64,
    ]

    /// The function or class of a module, nil for any that is not known here.
    init?(module: String, name: String) {
        switch (module, name) {
        case ("collections", "OrderedDict"): self = .orderedDictionary
        case ("torch._utils", "_rebuild_tensor_v2"): self = .tensor
        case ("torch._utils", "_rebuild_parameter"): self = .parameter
        case ("torch", _):
            guard let dtype = Self.storages[name] else { return nil }
            self = .storage(dtype)
        default: return nil
        }
    }
}

/// A storage that a pickle names: its values lie in an entry of their own.
struct PickledStorage: Equatable {
    let dtype: TensorDType
    /// The entry's name below `data/`.
    let key: String
    /// The number of elements.
    let count: Int
}

/// A view of a storage, as the pickle claims it: nothing of it is checked yet.
struct PickledTensor: Equatable {
    /// An index into the storages.
    let storage: Int
    /// In elements.
    let offset: Int
    let shape: [Int]
    /// In elements.
    let strides: [Int]
}

/// All that a pickle describes.
struct PickledObjects {
    /// The value that the pickle is of.
    var root = PickledValue.none
    var texts: [String] = []
    var sequences: [[PickledValue]] = []
    /// The members of dicts in their order, keys as they are: a key may occur twice.
    var dictionaries: [[(key: PickledValue, value: PickledValue)]] = []
    var storages: [PickledStorage] = []
    var tensors: [PickledTensor] = []

    /// A text, nil for another kind of value.
    func text(_ value: PickledValue) -> String? {
        if case .text(let index) = value { return texts[index] }
        return nil
    }

    /// The items of a tuple or list, nil for another kind of value.
    func items(_ value: PickledValue) -> [PickledValue]? {
        if case .sequence(let index) = value { return sequences[index] }
        return nil
    }

    /// The items of a tuple or list of at most `limit` integers, nil for another kind of value.
    func integers(_ value: PickledValue, limit: Int) -> [Int]? {
        // A pickle may name one long list again and again.
        guard let items = items(value), items.count <= limit else { return nil }
        var integers: [Int] = []
        for item in items {
            guard case .integer(let integer) = item else { return nil }
            integers.append(integer)
        }
        return integers
    }
}
