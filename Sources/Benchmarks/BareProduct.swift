import LinearAlgebra
import SparseCoding

/// The dense product [rows × D] · [D × latents] alone: the lower bound of encoding a batch.
struct BareProduct {
    private let inputs: Matrix
    private let encoder: Matrix
    private let product: Matrix

    /// - Parameters:
    ///   - batch: where the inputs' numbers come from, over and over.
    ///   - encoder: [latents × D].
    ///   - rows: as many as tokens if not said.
    init(of batch: ActivationBatch, with encoder: Matrix, rows: Int? = nil) {
        self.encoder = encoder
        inputs = Matrix(rows: rows ?? batch.count, columns: encoder.columns)
        for index in 0..<inputs.count { inputs.pointer[index] = batch.values.pointer[index % batch.values.count] }
        product = Matrix(rows: inputs.rows, columns: encoder.rows)
    }

    func multiply(by workers: Workers) {
        workers.multiply(
            rows: inputs.rows, columns: encoder.rows, inner: encoder.columns, inputs.pointer, stride: encoder.columns,
            byTransposeOf: encoder.pointer, stride: encoder.columns, into: product.pointer, stride: encoder.rows)
    }
}
