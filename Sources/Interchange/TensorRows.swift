import DictionaryExchange
import FeatureCatalog
import LinearAlgebra
import Synchronization

/// The rows of another program's tensor: read whole when the first are asked for, released with the last.
final class TensorRows: Sendable {
    private let tensor: ForeignTensor
    private let values = Mutex<Matrix?>(nil)

    init(_ tensor: ForeignTensor) { self.tensor = tensor }

    /// The tensor as the catalog takes it, in the type of the file; the readers let no other types through.
    var stored: DictionaryTensor {
        DictionaryTensor(
            name: tensor.name, dataType: DictionaryTensor.DataType(tensor.dtype) ?? .f32, shape: tensor.shape
        ) { try self.rows($0) }
    }

    /// Some rows, row-major.
    private func rows(_ range: Range<Int>) throws -> [Float] {
        let rowCount = tensor.shape.first ?? 1
        return try values.withLock { values in
            let matrix = try values ?? tensor.read()
            values = range.upperBound < rowCount ? matrix : nil
            let width = matrix.count / max(rowCount, 1)
            return Array(
                UnsafeBufferPointer(start: matrix.pointer + range.lowerBound * width, count: range.count * width))
        }
    }
}
