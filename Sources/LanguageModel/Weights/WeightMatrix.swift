import LinearAlgebra

/// A weight matrix `[outputs × inputs]` in the form that products take, which decides their precision.
enum WeightMatrix {
    /// f32, row-major without gaps, as it was read; valid as long as the buffer that it is in.
    case rows(UnsafePointer<Float>)
    /// Packed, where weights stay in memory; a product takes them in this precision.
    case packed(PackedMatrix, Precision)
    /// bf16 as they lie in the file, for products of bf16: the tensors of the checkpoint whose rows follow each other.
    case stored([BF16Matrix])
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
        case .packed(let b, .f32):
            multiply(
                rows: rows, a, stride: strideA, byTransposeOf: b, into: c, stride: strideC, accumulating: accumulating)
        case .packed(let b, .bf16):
            multiplyBF16(
                rows: rows, a, stride: strideA, byTransposeOf: b, into: c, stride: strideC, accumulating: accumulating)
        case .stored(let parts):
            var first = c
            for part in parts {
                multiply(
                    rows: rows, a, stride: strideA, byTransposeOf: part, into: first, stride: strideC,
                    accumulating: accumulating)
                first += part.rows
            }
        }
    }
}
