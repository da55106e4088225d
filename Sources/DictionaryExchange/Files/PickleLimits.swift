/// How much a pickle may ask for: far more than the state of any dictionary needs, far less than a machine has.
enum PickleLimits {
    /// Bytes of the pickle.
    static let bytes = 1 << 25
    /// Opcodes; a tensor takes about 33.
    static let operations = 1 << 21
    /// Tuples, lists, dicts and storages; a tensor takes about 6.
    static let objects = 1 << 19
    /// Tensors.
    static let tensors = 1 << 16
    /// Members and items that are visited, where one dict may be a member of many.
    static let visits = 1 << 19
    /// The depth of dicts and lists within each other that is read.
    static let depth = 16
    /// Bytes of all names together that dicts within each other give their tensors.
    static let pathBytes = 1 << 24
    /// Values that were given a number to be used again; a tensor takes about 11.
    static let memo = 1 << 20
    /// Marks that are open at once: the depth of nesting.
    static let marks = 1 << 10
    /// Bytes of one text.
    static let textBytes = 1 << 20
    /// Bytes of a module's or a function's name.
    static let nameBytes = 1 << 10
}
