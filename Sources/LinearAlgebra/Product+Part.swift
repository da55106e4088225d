import CKernels

/// `C = α · A · Bᵀ`, or that added to C, on the calling thread, with a part of a packed matrix as `B`: f32, or bf16 if the
/// matrix is halved, and A then rounded on the way (`bf16_product.h`). Attention takes its keys and values this way.
///
/// A sum has the bits of the longer one of which it is a part, where the terms before it are zero.
///
/// - Parameters:
///   - rows: rows of A and C.
///   - alpha: 1 where the matrix is halved.
///   - a: `[rows × columns.count]`, row-major, `strideA` elements from one row to the next.
///   - part: the rows of B that are taken; it begins with a panel.
///   - columns: the columns of B that are taken; they begin with an even one.
///   - start: the offset of the first of these in the longer sum. If the matrix is halved, they begin a block of 512 terms
///     or stay within one.
///   - c: `[rows × part.count]` likewise.
package func multiply(
    rows: Int, alpha: Float = 1, _ a: UnsafePointer<Float>, stride strideA: Int, byTransposeOf b: PackedMatrix,
    rows part: Range<Int>, columns: Range<Int>, startingAt start: Int = 0, accumulating: Bool = false,
    into c: UnsafeMutablePointer<Float>, stride strideC: Int
) {
    precondition(
        part.lowerBound % PackedMatrix.panelRows == 0 && part.upperBound <= b.rows && columns.lowerBound % 2 == 0
            && columns.upperBound <= b.columns, "rows \(part), columns \(columns) of [\(b.rows) × \(b.columns)]")
    // An element of a panel is a term of f32, or two of bf16.
    let elements = (b.isHalved ? columns.lowerBound / 2 : columns.lowerBound) * PackedMatrix.panelRows
    let panels = UnsafeRawPointer(b.panel(ofRow: part.lowerBound)) + elements * 4
    if b.isHalved {
        let block = Int(RSAE_BF16_BLOCK)
        precondition(
            alpha == 1 && (start % block == 0 || start % block + columns.count <= block),
            "\(columns.count) terms of bf16 from \(start) on, times \(alpha)")
        var product = rsae_bf16_product()
        product.rows = Int64(rows)
        product.columns = Int64(part.count)
        product.inner = Int64(columns.count)
        product.accumulates = accumulating
        product.a = a
        product.a_stride = Int64(strideA)
        product.b_panels = panels
        product.b_length = Int64(b.columns)
        product.c = c
        product.c_stride = Int64(strideC)
        rsae_multiply_bf16(&product)
        return
    }
    var product = rsae_product()
    product.rows = Int64(rows)
    product.columns = Int64(part.count)
    product.inner = Int64(columns.count)
    product.inner_start = Int64(start)
    product.alpha = alpha
    product.accumulates = accumulating
    product.b_transposed = true
    product.a = a
    product.a_stride = Int64(strideA)
    product.b_panels = panels
    product.b_length = Int64(b.columns)
    product.c = c
    product.c_stride = Int64(strideC)
    rsae_multiply(&product)
}
