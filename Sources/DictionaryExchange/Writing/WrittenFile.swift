import CKernels
import LinearAlgebra
import Safetensors

/// A safetensors file in another program's names, written with one big tensor in memory at a time: besides it, a piece
/// of at most 4 MiB or one row or column of the tensor.
struct WrittenFile {
    /// Values of a piece.
    private static let pieceCount = 1 << 20

    let dictionary: DictionaryToExport
    let tensors: [WrittenTensor]
    var metadata: [String: String] = [:]

    /// Writes it.
    ///
    /// - Throws: `ExportRefusal` where a value is not finite after folding, `SafetensorsError` where the file exists or
    ///   cannot be written, what the dictionary's `read` throws.
    func write(to path: String) throws {
        let writer = try SafetensorsWriter(
            path: path, tensors: tensors.map { ($0.name, $0.dtype, $0.shape) }, metadata: metadata)
        for tensor in tensors {
            switch tensor.values {
            case .vector(let values):
                guard values.allSatisfy(\.isFinite) else { throw notFinite(tensor) }
                try writer.append(tensor.name, floats: values)
            case .rows(let source, let factors):
                try appendRows(of: try dictionary.directions(source), factors, tensor, to: writer)
            case .columns(let source, let factors):
                try appendColumns(of: try dictionary.directions(source), factors, tensor, to: writer)
            }
        }
        try writer.finish()
    }

    private func appendRows(
        of matrix: Matrix, _ factors: [Double]?, _ tensor: WrittenTensor, to writer: SafetensorsWriter
    ) throws {
        guard let factors else {
            try withExtendedLifetime(matrix) {
                try writer.append(
                    tensor.name, floats: UnsafeBufferPointer(start: matrix.pointer, count: matrix.count))
            }
            return
        }
        let piece = Matrix(
            scratchRows: min(max(Self.pieceCount / matrix.columns, 1), matrix.rows), columns: matrix.columns)
        for start in stride(from: 0, to: matrix.rows, by: piece.rows) {
            let rows = min(piece.rows, matrix.rows - start)
            withExtendedLifetime(matrix) {
                for row in 0..<rows {
                    let (source, target, factor) = (matrix.row(start + row), piece.row(row), factors[start + row])
                    for column in 0..<matrix.columns { target[column] = Float(Double(source[column]) * factor) }
                }
            }
            try append(piece, rows: rows, tensor, to: writer)
        }
    }

    private func appendColumns(
        of matrix: Matrix, _ factors: [Double]?, _ tensor: WrittenTensor, to writer: SafetensorsWriter
    ) throws {
        let piece = Matrix(
            scratchRows: min(max(Self.pieceCount / matrix.rows, 1), matrix.columns), columns: matrix.rows)
        for start in stride(from: 0, to: matrix.columns, by: piece.rows) {
            let columns = min(piece.rows, matrix.columns - start)
            withExtendedLifetime(matrix) {
                for row in 0..<matrix.rows {
                    let source = matrix.row(row) + start
                    let target = piece.pointer + row
                    if let factor = factors?[row] {
                        for column in 0..<columns {
                            target[column * matrix.rows] = Float(Double(source[column]) * factor)
                        }
                    } else {
                        for column in 0..<columns { target[column * matrix.rows] = source[column] }
                    }
                }
            }
            try append(piece, rows: columns, tensor, to: writer)
        }
    }

    private func append(
        _ piece: Matrix, rows: Int, _ tensor: WrittenTensor, to writer: SafetensorsWriter
    ) throws {
        let count = rows * piece.columns
        guard rsae_all_finite(piece.pointer, Int64(count)) != 0 else { throw notFinite(tensor) }
        try withExtendedLifetime(piece) {
            try writer.append(tensor.name, floats: UnsafeBufferPointer(start: piece.pointer, count: count))
        }
    }

    private func notFinite(_ tensor: WrittenTensor) -> ExportRefusal {
        ExportRefusal(
            "\(dictionary.label): \(tensor.name) would exceed 32-bit numbers once the input's scale or the decoder's "
                + "norms are folded into it; it cannot be written in this format")
    }
}
