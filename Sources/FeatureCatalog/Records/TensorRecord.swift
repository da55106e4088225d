/// A stored weight of a dictionary, without its values (table `dictionary_tensor`).
package struct TensorRecord: Equatable, Sendable {
    /// The tensor's name, unique in its dictionary.
    package let name: String
    /// How the values are stored.
    package let dataType: DictionaryTensor.DataType
    /// The shape, rows first.
    package let shape: [Int]
    /// Lower-case hexadecimal SHA-256 of all stored bytes, little-endian, row-major.
    package let sha256: String

    /// Describes a stored tensor.
    package init(name: String, dataType: DictionaryTensor.DataType, shape: [Int], sha256: String) {
        self.name = name
        self.dataType = dataType
        self.shape = shape
        self.sha256 = sha256
    }
}
