import COpenBLAS

/// `C = α · op(A) · op(B) + β · C` on the calling thread, for row-major arrays (`cblas_sgemm`).
///
/// - Parameters:
///   - rows: rows of op(A) and C.
///   - columns: columns of op(B) and C.
///   - inner: columns of op(A), rows of op(B).
///   - a: A with `strideA` elements from one stored row to the next; stored transposed if `transposeA`.
///   - b: B likewise.
///   - c: C with `strideC` elements from one row to the next.
public func multiply(
    rows: Int,
    columns: Int,
    inner: Int,
    alpha: Float = 1,
    _ a: UnsafePointer<Float>,
    stride strideA: Int,
    transposeA: Bool = false,
    _ b: UnsafePointer<Float>,
    stride strideB: Int,
    transposeB: Bool = false,
    beta: Float = 0,
    into c: UnsafeMutablePointer<Float>,
    stride strideC: Int
) {
    guard rows > 0, columns > 0 else { return }
    SingleThreadedBLAS.ensure()
    cblas_sgemm(
        CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
        blasint(rows), blasint(columns), blasint(inner), alpha, a, blasint(max(strideA, 1)),
        b, blasint(max(strideB, 1)), beta, c, blasint(max(strideC, 1)))
}

extension Workers {
    /// Rows of a tile of a parallel product. A constant, so that the bits do not depend on the thread count.
    @usableFromInline static let productRowTile = 256
    /// Columns of a tile of a parallel product.
    @usableFromInline static let productColumnTile = 1024

    /// `C = A · Bᵀ (+ C if accumulating)`: `A [rows × inner]`, `B [columns × inner]`, `C [rows × columns]`, all
    /// row-major. This is how a linear layer whose weight is stored `[outputs × inputs]` is applied to rows of inputs.
    public func multiply(
        rows: Int,
        columns: Int,
        inner: Int,
        _ a: UnsafePointer<Float>,
        stride strideA: Int,
        byTransposeOf b: UnsafePointer<Float>,
        stride strideB: Int,
        into c: UnsafeMutablePointer<Float>,
        stride strideC: Int,
        accumulating: Bool = false
    ) {
        let rowTiles = (rows + Workers.productRowTile - 1) / Workers.productRowTile
        let columnTiles = (columns + Workers.productColumnTile - 1) / Workers.productColumnTile
        let shared = SharedPointers(a: a, b: b, c: c)
        forEach(tiles: rowTiles * columnTiles) { tile, _ in
            // Neighbouring tiles share the rows of B, the larger operand in every use here.
            let firstRow = (tile % rowTiles) * Workers.productRowTile
            let firstColumn = (tile / rowTiles) * Workers.productColumnTile
            LinearAlgebra.multiply(
                rows: min(Workers.productRowTile, rows - firstRow),
                columns: min(Workers.productColumnTile, columns - firstColumn),
                inner: inner,
                shared.a + firstRow * strideA, stride: strideA,
                shared.b + firstColumn * strideB, stride: strideB, transposeB: true,
                beta: accumulating ? 1 : 0,
                into: shared.c + firstRow * strideC + firstColumn, stride: strideC)
        }
    }
}

/// The operands of one parallel product; every tile writes a part of `c` of its own.
private struct SharedPointers: @unchecked Sendable {
    let a: UnsafePointer<Float>
    let b: UnsafePointer<Float>
    let c: UnsafeMutablePointer<Float>
}
