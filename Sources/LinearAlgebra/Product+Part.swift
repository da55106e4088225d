import CKernels

/// `C = α · A · Bᵀ`, or that added to C, on the calling thread, with a part of a packed matrix as `B`: in f32, or in bf16,
/// A then being rounded on the way (`bf16_product.h`). Attention takes its keys and values this way.
///
/// A sum has the bits of the longer one of which it is a part, where the terms before it are zero.
///
/// - Parameters:
///   - rows: rows of A and C.
///   - alpha: 1 in bf16.
///   - a: `[rows × columns.count]`, row-major, `strideA` elements from one row to the next.
///   - part: the rows of B that are taken; it begins with a panel.
///   - columns: the columns of B that are taken; they begin with an even one.
///   - start: the offset of the first of these in the longer sum. In bf16 they begin a block of 512 terms or stay within
///     one.
///   - precision: bf16 needs a halved matrix; as the matrix is if nil.
///   - c: `[rows × part.count]` likewise.
package func multiply(
    rows: Int, alpha: Float = 1, _ a: UnsafePointer<Float>, stride strideA: Int, byTransposeOf b: PackedMatrix,
    rows part: Range<Int>, columns: Range<Int>, startingAt start: Int = 0, in precision: Precision? = nil,
    accumulating: Bool = false, into c: UnsafeMutablePointer<Float>, stride strideC: Int
) {
    precondition(
        part.lowerBound % b.panelRows == 0 && part.upperBound <= b.rows && columns.lowerBound % 2 == 0
            && columns.upperBound <= b.columns, "rows \(part), columns \(columns) of [\(b.rows) × \(b.columns)]")
    // An element of a panel is a term of f32, or two of bf16.
    let elements = (b.isHalved ? columns.lowerBound / 2 : columns.lowerBound) * b.panelRows
    let panels = UnsafeRawPointer(b.panel(ofRow: part.lowerBound)) + elements * 4
    if precision.map({ $0 == .bf16 }) ?? b.isHalved {
        let block = Int(RSAE_BF16_BLOCK)
        precondition(
            b.isHalved && alpha == 1 && (start % block == 0 || start % block + columns.count <= block),
            "\(columns.count) terms of bf16 from \(start) on, times \(alpha)")
        var product = rsae_bf16_product(
            rows: Int64(rows), columns: Int64(part.count), inner: Int64(columns.count), accumulates: accumulating, a: a,
            a_stride: Int64(strideA), b: nil, b_stride: 0, b_panels: panels, b_length: Int64(b.columns),
            b_is_wide: b.isWide, c: c, c_stride: Int64(strideC))
        return rsae_multiply_bf16(&product)
    }
    var product = rsae_product(
        rows: Int64(rows), columns: Int64(part.count), inner: Int64(columns.count), inner_start: Int64(start),
        alpha: alpha, accumulates: accumulating, a_transposed: false, b_transposed: true, a: a,
        a_stride: Int64(strideA), b: nil, b_stride: 0, b_panels: panels, b_length: Int64(b.columns),
        b_is_wide: b.isWide, b_is_halved: b.isHalved, c: c, c_stride: Int64(strideC))
    rsae_multiply(&product)
}
