import LinearAlgebra
import SparseCoding

/// The dense product [rows × D] · [D × latents] alone: the lower bound of encoding a batch.
struct BareProduct {
    private let inputs: Matrix
    private let encoder: Matrix
    /// The encoder rounded and packed, where the product is of bf16.
    private let rounded: PackedMatrix?
    private let product: Matrix

    /// - Parameters:
    ///   - batch: where the inputs' numbers come from, over and over.
    ///   - encoder: [latents × D].
    ///   - rows: as many as tokens if not said.
    init(
        of batch: ActivationBatch, with encoder: Matrix, rows: Int? = nil, precision: Precision, workers: Workers
    ) {
        self.encoder = encoder
        inputs = Matrix(rows: rows ?? batch.count, columns: encoder.columns)
        for index in 0..<inputs.count { inputs.pointer[index] = batch.values.pointer[index % batch.values.count] }
        product = Matrix(rows: inputs.rows, columns: encoder.rows)
        rounded =
            precision == .bf16
            ? PackedMatrix(
                encoder.pointer, rows: encoder.rows, columns: encoder.columns, halved: true, workers: workers) : nil
    }

    func multiply(by workers: Workers) {
        if let rounded {
            return workers.multiplyBF16(
                rows: inputs.rows, inputs.pointer, stride: encoder.columns, byTransposeOf: rounded,
                into: product.pointer, stride: encoder.rows)
        }
        workers.multiply(
            rows: inputs.rows, columns: encoder.rows, inner: encoder.columns, inputs.pointer, stride: encoder.columns,
            byTransposeOf: encoder.pointer, stride: encoder.columns, into: product.pointer, stride: encoder.rows)
    }
}
