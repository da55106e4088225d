import LinearAlgebra

/// A weight matrix `[outputs × inputs]` in the form that products take.
enum WeightMatrix {
    /// Row-major without gaps, as it was read; valid as long as the buffer that it is in.
    case rows(UnsafePointer<Float>)
    /// Packed, where weights stay in memory.
    case packed(PackedMatrix)
}

extension Workers {
    /// `C = A · Bᵀ (+ C if accumulating)`: `A [rows × inputs]`, `B [outputs × inputs]`, `C [rows × outputs]`, row-major.
    func multiply(
        rows: Int, outputs: Int, inputs: Int, _ a: UnsafePointer<Float>, stride strideA: Int,
        byTransposeOf b: WeightMatrix, into c: UnsafeMutablePointer<Float>, stride strideC: Int,
        accumulating: Bool = false
    ) {
        switch b {
        case .rows(let b):
            multiply(
                rows: rows, columns: outputs, inner: inputs, a, stride: strideA, byTransposeOf: b, stride: inputs,
                into: c, stride: strideC, accumulating: accumulating)
        case .packed(let b):
            multiply(
                rows: rows, a, stride: strideA, byTransposeOf: b, into: c, stride: strideC, accumulating: accumulating)
        }
    }
}
