import CKernels
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
    ///
    /// A single row is bound by reading B, not by arithmetic; see `multiplyRow`.
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
        guard rows != 1 else {
            multiplyRow(columns: columns, inner: inner, a, byTransposeOf: b, stride: strideB, into: c, accumulating)
            return
        }
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

    /// Elements of B in a tile of a product with one row: few enough that the threads end together, and enough that
    /// handing out a tile costs nothing beside reading it.
    private static let rowProductTile = 65_536

    /// `c = a · Bᵀ (+ c)` for one row: each column of the result is one pass over one row of B, so the threads read B
    /// from its beginning to its end, and the bits depend on no tile.
    private func multiplyRow(
        columns: Int,
        inner: Int,
        _ a: UnsafePointer<Float>,
        byTransposeOf b: UnsafePointer<Float>,
        stride strideB: Int,
        into c: UnsafeMutablePointer<Float>,
        _ accumulating: Bool
    ) {
        let shared = SharedPointers(a: a, b: b, c: c)
        // A mebibyte is read in about the time that another thread takes to wake up.
        let isSmall = columns * inner <= 4 * Workers.rowProductTile
        let width = isSmall ? columns : Workers.rowProductTile / inner
        forEach(columns, tile: max(1, width)) { tile, _ in
            for column in tile {
                let product = rsae_dot(shared.a, shared.b + column * strideB, Int64(inner))
                shared.c[column] = accumulating ? shared.c[column] + product : product
            }
        }
    }
}

/// The operands of one parallel product; every tile writes a part of `c` of its own.
private struct SharedPointers: @unchecked Sendable {
    let a: UnsafePointer<Float>
    let b: UnsafePointer<Float>
    let c: UnsafeMutablePointer<Float>
}
