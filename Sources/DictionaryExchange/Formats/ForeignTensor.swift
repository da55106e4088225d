import CKernels
package import LinearAlgebra
package import Safetensors

/// A tensor of another program's dictionary by our name and in our arrangement, read on demand.
package struct ForeignTensor: Sendable {
    /// Where its values come from.
    enum Source: Sendable {
        /// One tensor as it lies in the file.
        case stored(any WeightFile, name: String)
        /// One matrix of the file, `[columns × rows]` there.
        case transposed(any WeightFile, name: String)
        /// Several matrices of the file side by side, all as they lie there or all transposed.
        case sideBySide(any WeightFile, names: [String], transposed: Bool)
        /// One value, which a configuration says.
        case value(Float)
    }

    /// The name in `DictionaryWeights`.
    package let name: String
    /// The type of the values in the file: F32, F16 or BF16.
    package let dtype: TensorDType
    /// The shape in our arrangement: `[m, D]`, `[layers, d]` or one extent for a vector.
    package let shape: [Int]
    let source: Source

    /// Rows of a file's matrix that are transposed at a time: 64 of 131,072 latents are 32 MiB.
    private static let block = 64

    /// Reads all values into our arrangement; a vector becomes a matrix of one row. Beside the result it holds a few
    /// rows of the file.
    ///
    /// - Throws: `WeightFileError` for a damaged file, `ForeignDictionaryError` of kind `.malformed` for an infinity or
    ///   a NaN.
    package func read() throws -> Matrix {
        let result = Matrix(
            scratchRows: shape.count == 2 ? shape[0] : 1, columns: shape.count == 2 ? shape[1] : shape.first ?? 1)
        switch source {
        case .stored(let file, let name): try file.readFloats(name, into: result.pointer)
        case .transposed(let file, let name): try Self.transpose(file, name, into: result, from: 0)
        case .sideBySide(let file, let names, let transposed):
            let width = result.columns / max(names.count, 1)
            for (part, name) in names.enumerated() {
                if transposed {
                    try Self.transpose(file, name, into: result, from: part * width, width: width)
                } else {
                    try Self.copy(file, name, into: result, from: part * width, width: width)
                }
            }
        case .value(let value): result.fill(value)
        }
        guard rsae_all_finite(result.pointer, Int64(result.count)) != 0 else { throw notFinite(result) }
        return result
    }

    /// The error that names the first value which is no number.
    private func notFinite(_ values: Matrix) -> ForeignDictionaryError {
        let index = (0..<values.count).first { !values.pointer[$0].isFinite } ?? 0
        let (path, names): (String, [String]) =
            switch source {
            case .stored(let file, let name), .transposed(let file, let name): (file.path, [name])
            case .sideBySide(let file, let names, _): (file.path, names)
            case .value: ("", [name])
            }
        let part = names[min(index % values.columns / max(values.columns / names.count, 1), names.count - 1)]
        return ForeignDictionaryError(
            .malformed, path,
            "tensor \(part.quoted) holds an infinity or a NaN; expected finite numbers, found \(values.pointer[index])"
                + "; check where the file comes from")
    }

    /// Copies a matrix `[rows × width]` of the file into some columns of the result.
    private static func copy(
        _ file: any WeightFile, _ name: String, into result: Matrix, from column: Int, width: Int
    ) throws {
        let rows = Matrix(scratchRows: block, columns: width)
        for start in stride(from: 0, to: result.rows, by: block) {
            let count = min(block, result.rows - start)
            try file.readFloats(name, elements: start * width..<(start + count) * width, into: rows.pointer)
            for row in 0..<count { (result.row(start + row) + column).update(from: rows.row(row), count: width) }
        }
    }

    /// Transposes a matrix `[width × rows]` of the file into some columns of the result.
    private static func transpose(
        _ file: any WeightFile, _ name: String, into result: Matrix, from column: Int, width: Int? = nil
    ) throws {
        let (rows, width) = (result.rows, width ?? result.columns)
        let piece = Matrix(scratchRows: min(block, width), columns: rows)
        for start in stride(from: 0, to: width, by: block) {
            let count = min(block, width - start)
            try file.readFloats(name, elements: start * rows..<(start + count) * rows, into: piece.pointer)
            // Sixteen rows of the result at a time stay in the first-level cache.
            for top in stride(from: 0, to: rows, by: 16) {
                for inner in 0..<count {
                    let values = piece.row(inner)
                    for row in top..<min(top + 16, rows) {
                        result.pointer[row * result.columns + column + start + inner] = values[row]
                    }
                }
            }
        }
    }
}
