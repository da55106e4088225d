import CKernels
import LinearAlgebra
import Safetensors
import SparseCoding

extension DictionaryToExport {
    /// Starts a message about this dictionary.
    var label: String { "dictionary \"\(name)\"" }

    /// A tensor's stored type.
    ///
    /// - Throws: `ExportRefusal` for a tensor that is missing, or of a type that no dictionary has.
    func dtype(of tensor: String) throws(ExportRefusal) -> TensorDType {
        guard let found = tensors.first(where: { $0.name == tensor }) else {
            throw ExportRefusal("\(label): lacks tensor \(tensor); run routesae verify on its catalog")
        }
        guard [.f32, .f16, .bf16].contains(found.dtype) else {
            throw ExportRefusal(
                "\(label): tensor \(tensor) is of type \(found.dtype.rawValue), expected F32, F16 or BF16")
        }
        return found.dtype
    }

    /// A whole tensor `[rows × columns]`.
    ///
    /// - Throws: `ExportRefusal` for one that is missing, of another shape, or not finite; what `read` throws.
    func matrix(_ tensor: String, rows: Int, columns: Int) throws -> Matrix {
        _ = try dtype(of: tensor)
        let shape = tensors.first { $0.name == tensor }?.shape ?? []
        guard shape == [rows, columns] || rows == 1 && shape == [columns] else {
            throw ExportRefusal(
                "\(label): tensor \(tensor) has shape \(shape), expected \(rows == 1 ? [columns] : [rows, columns])")
        }
        let values = try read(tensor)
        guard values.count == rows * columns else {
            throw ExportRefusal("\(label): tensor \(tensor) has \(values.count) values, expected \(rows * columns)")
        }
        guard rsae_all_finite(values.pointer, Int64(values.count)) != 0 else {
            throw ExportRefusal(
                "\(label): tensor \(tensor) holds an infinity or a NaN; run routesae verify on its catalog")
        }
        return values
    }

    /// The encoder or the decoder, `[latents × width]`.
    ///
    /// - Throws: as `matrix(_:rows:columns:)`.
    func directions(_ tensor: String) throws -> Matrix {
        try matrix(tensor, rows: configuration.latents, columns: configuration.inputWidth)
    }

    /// A vector `[count]`.
    ///
    /// - Throws: as `matrix(_:rows:columns:)`.
    func vector(_ tensor: String, count: Int) throws -> [Float] {
        try matrix(tensor, rows: 1, columns: count).elements
    }

    /// The Euclidean norm of every decoder row, `[latents]`.
    ///
    /// - Throws: as `matrix(_:rows:columns:)`.
    func decoderNorms() throws -> [Double] {
        let decoder = try directions("decoder")
        return withExtendedLifetime(decoder) {
            (0..<decoder.rows).map { latent in
                let row = UnsafeBufferPointer(start: decoder.row(latent), count: decoder.columns)
                return row.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
            }
        }
    }
}
