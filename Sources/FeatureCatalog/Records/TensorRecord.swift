/// A stored weight of a dictionary, without its values (table `dictionary_tensor`).
public struct TensorRecord: Equatable, Sendable {
    /// The tensor's name, unique in its dictionary.
    public let name: String
    /// How the values are stored.
    public let dataType: DictionaryTensor.DataType
    /// The shape, rows first.
    public let shape: [Int]
    /// Lower-case hexadecimal SHA-256 of all stored bytes, little-endian, row-major.
    public let sha256: String

    /// Describes a stored tensor.
    public init(name: String, dataType: DictionaryTensor.DataType, shape: [Int], sha256: String) {
        self.name = name
        self.dataType = dataType
        self.shape = shape
        self.sha256 = sha256
    }
}
