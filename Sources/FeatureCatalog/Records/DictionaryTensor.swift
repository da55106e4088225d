/// A weight of a dictionary to be written into the catalog (tables `dictionary_tensor`, `tensor_chunk`).
///
/// Rows are the first dimension. Tensors that belong to features have the latents as rows (the decoder is
/// `[latents × dModel]`), so that one feature's vectors are read alone.
package struct DictionaryTensor: Sendable {
    /// How the values are stored.
    package enum DataType: String, CaseIterable, Sendable {
        /// IEEE 754 binary32.
        case f32
        /// IEEE 754 binary16.
        case f16
        /// The upper half of binary32.
        case bf16

        /// Bytes of one stored value.
        package var byteCount: Int { self == .f32 ? 4 : 2 }
    }

    /// The tensor's name, unique in its dictionary.
    package let name: String
    /// How the values are stored; f16 and bf16 round to nearest, ties to even.
    package let dataType: DataType
    /// The shape, rows first; an empty shape is a single value.
    package let shape: [Int]
    /// Returns the rows of a range, row-major `[rows × values per row]`; called in order.
    package let rows: @Sendable (Range<Int>) throws -> [Float]

    /// Describes a tensor whose rows come one range after the other.
    package init(
        name: String, dataType: DataType, shape: [Int], rows: @escaping @Sendable (Range<Int>) throws -> [Float]
    ) {
        self.name = name
        self.dataType = dataType
        self.shape = shape
        self.rows = rows
    }

    /// Describes a tensor that is in memory: `values` row-major, as many as `shape` has.
    package init(name: String, dataType: DataType = .f32, shape: [Int], values: [Float]) {
        let rowCount = shape.first ?? 1
        let rowLength = rowCount == 0 ? 0 : values.count / rowCount
        self.init(name: name, dataType: dataType, shape: shape) { range in
            Array(values[range.lowerBound * rowLength..<range.upperBound * rowLength])
        }
    }
}
