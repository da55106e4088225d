package import FeatureCatalog
import LinearAlgebra
import SparseCoding

extension DictionaryWeights {
    /// The tensors as the catalog stores them. Unlike in the reference's files the decoder is stored by feature,
    /// `[m, D]`, so that one feature's direction is read alone.
    package func tensors(stored dtype: DictionaryTensor.DataType) -> [DictionaryTensor] {
        tensors.map { tensor in
            let matrix = tensor.matrix
            let width = tensor.isVector ? 1 : matrix.columns
            let shape = tensor.isVector ? [matrix.columns] : [matrix.rows, matrix.columns]
            return DictionaryTensor(name: tensor.name, dataType: dtype, shape: shape) { rows in
                Array(
                    UnsafeBufferPointer(start: matrix.pointer + rows.lowerBound * width, count: rows.count * width))
            }
        }
    }

    /// Reads a dictionary's weights back.
    ///
    /// - Throws: `CatalogError` for missing or damaged tensors.
    convenience init(_ configuration: DictionaryConfiguration, dictionary: Int64, in catalog: Catalog) throws {
        self.init(configuration)
        for tensor in tensors {
            let matrix = tensor.matrix
            try catalog.read(
                tensor.name, of: dictionary, rows: 0..<(tensor.isVector ? matrix.columns : matrix.rows),
                width: tensor.isVector ? 1 : matrix.columns, into: matrix.pointer)
        }
    }
}
