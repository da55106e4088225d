import CKernels

/// `C = α · op(A) · op(B)`, or that added to C, on the calling thread, for row-major arrays.
///
/// An element of C is a sum in a fixed order, whatever else is in the product (`product_kernel.h`): a row of C has the
/// same bits alone, among others, or in any tile.
///
/// - Parameters:
///   - rows: rows of op(A) and C.
///   - columns: columns of op(B) and C.
///   - inner: columns of op(A), rows of op(B).
///   - innerStart: the offset of the first of these in a longer sum, whose terms before it
///     would have been zero: the bits are those of the whole sum.
///   - a: A with `strideA` elements from one stored row to the next; stored transposed if `transposeA`.
///   - b: B likewise.
///   - accumulating: whether C is added to; if not, what it held does not matter.
///   - c: C with `strideC` elements from one row to the next.
///   - kernel: the instructions to use, which the processor must have; `ProductKernel.current` if nil.
package func multiply(
    rows: Int,
    columns: Int,
    inner: Int,
    innerStart: Int = 0,
    alpha: Float = 1,
    _ a: UnsafePointer<Float>,
    stride strideA: Int,
    transposeA: Bool = false,
    _ b: UnsafePointer<Float>,
    stride strideB: Int,
    transposeB: Bool = false,
    accumulating: Bool = false,
    into c: UnsafeMutablePointer<Float>,
    stride strideC: Int,
    with kernel: ProductKernel? = nil
) {
    var product = rsae_product(
        rows: Int64(rows), columns: Int64(columns), inner: Int64(inner), inner_start: Int64(innerStart), alpha: alpha,
        accumulates: accumulating, a_transposed: transposeA, b_transposed: transposeB, a: a, a_stride: Int64(strideA),
        b: b, b_stride: Int64(strideB), b_panels: nil, b_length: 0, b_is_wide: false, b_is_halved: false, c: c,
        c_stride: Int64(strideC))
    rsae_multiply_with(kernel?.kernel ?? rsae_product_kernel(), &product)
}

extension Workers {
    /// Rows of a tile of a parallel product.
    static let productRowTile = 256
    /// The most columns of a tile of a parallel product, and of what their number is a multiple: a wide panel.
    private static let productColumnTile = 1024
    private static let productColumnStep = Int(RSAE_WIDE_PANEL_COLUMNS)
    /// Multiplications in a product that is over before another thread has taken a part of it, even if that thread is
    /// awake. A few rows take as long as four: they wait for B, not for arithmetic.
    private static let smallProduct = 1 << 17

    /// `C = A · Bᵀ (+ C if accumulating)`: `A [rows × inner]`, `B [columns × inner]`, `C [rows × columns]`, all
    /// row-major. This is how a linear layer whose weight is stored `[outputs × inputs]` is applied to rows of inputs.
    ///
    /// The number of tiles depends on the number of threads; no bit depends on the tiles.
    package func multiply(
        rows: Int,
        columns: Int,
        inner: Int,
        _ a: UnsafePointer<Float>,
        stride strideA: Int,
        byTransposeOf b: UnsafePointer<Float>,
        stride strideB: Int,
        into c: UnsafeMutablePointer<Float>,
        stride strideC: Int,
        accumulating: Bool = false,
        with kernel: ProductKernel? = nil
    ) {
        let (rowTile, columnTile) = productTile(rows: rows, columns: columns, inner: inner)
        let rowTiles = (rows + rowTile - 1) / rowTile
        let columnTiles = (columns + columnTile - 1) / columnTile
        let shared = SharedPointers(a: a, b: b, c: c)
        forEach(tiles: rowTiles * columnTiles) { tile, _ in
            // Neighbouring tiles share the rows of B, the larger operand in every use here.
            let firstRow = (tile % rowTiles) * rowTile
            let firstColumn = (tile / rowTiles) * columnTile
            LinearAlgebra.multiply(
                rows: min(rowTile, rows - firstRow),
                columns: min(columnTile, columns - firstColumn),
                inner: inner,
                shared.a + firstRow * strideA, stride: strideA,
                shared.b + firstColumn * strideB, stride: strideB, transposeB: true,
                accumulating: accumulating,
                into: shared.c + firstRow * strideC + firstColumn, stride: strideC, with: kernel)
        }
    }

    /// `C = A · Bᵀ (+ C if accumulating)` with packed weights `B`, with the bits of the product with their rows:
    /// `A [rows × B.columns]`, `C [rows × B.rows]`, row-major.
    package func multiply(
        rows: Int,
        _ a: UnsafePointer<Float>,
        stride strideA: Int,
        byTransposeOf b: PackedMatrix,
        into c: UnsafeMutablePointer<Float>,
        stride strideC: Int,
        accumulating: Bool = false,
        with kernel: ProductKernel? = nil
    ) {
        let (rowTile, columnTile) = productTile(rows: rows, columns: b.rows, inner: b.columns)
        let rowTiles = (rows + rowTile - 1) / rowTile
        let columnTiles = (b.rows + columnTile - 1) / columnTile
        let kernel = kernel?.kernel ?? rsae_product_kernel()
        // Values only: threads that count references to one object hold each other up.
        let (panels, rowBytes, columns, inner) = (b.panels, b.rowBytes, b.rows, b.columns)
        let (isWide, isHalved) = (b.isWide, b.isHalved)
        forEach(tiles: rowTiles * columnTiles) { tile, _ in
            let firstRow = (tile % rowTiles) * rowTile
            let firstColumn = (tile / rowTiles) * columnTile
            var product = rsae_product(
                rows: Int64(min(rowTile, rows - firstRow)), columns: Int64(min(columnTile, columns - firstColumn)),
                inner: Int64(inner), inner_start: 0, alpha: 1, accumulates: accumulating, a_transposed: false,
                b_transposed: true, a: a + firstRow * strideA, a_stride: Int64(strideA), b: nil, b_stride: 0,
                b_panels: panels + firstColumn * rowBytes, b_length: 0, b_is_wide: isWide, b_is_halved: isHalved,
                c: c + firstRow * strideC + firstColumn, c_stride: Int64(strideC))
            rsae_multiply_with(kernel, &product)
        }
        withExtendedLifetime(b) {}
    }

    /// Calls `body` with parts of a product's columns, each a whole number of panels but the last, for products of few rows
    /// that share A, and what is done with them column by column.
    package func forEachTileOfColumns(
        rows: Int, columns: Int, inner: Int, _ body: (_ columns: Range<Int>) -> Void
    ) {
        let tile = productTile(rows: rows, columns: columns, inner: inner).columns
        forEach(columns, tile: tile) { columns, _ in body(columns) }
    }

    /// The tiles of a product: one if it is small, else about four for each thread while that leaves them large enough; two
    /// of a single row, where beginning one costs as much as a part of it, or one where threads are together.
    ///
    /// - Parameter rowTile: rows of a tile; more where each tile packs its part of B.
    func productTile(
        rows: Int, columns: Int, inner: Int, rowTile: Int = Workers.productRowTile
    ) -> (rows: Int, columns: Int) {
        guard count > 1, max(rows, 4) * columns * inner > Workers.smallProduct else {
            return (max(rows, 1), max(columns, 1))
        }

        let rowTiles = (rows + rowTile - 1) / rowTile
        let even = columns * rowTiles / ((rows > 1 ? 4 : isTogether ? 1 : 2) * count)
        let step = Workers.productColumnStep
        return (rowTile, min(max((even + step - 1) / step * step, step), Workers.productColumnTile))
    }
}

/// The operands of one parallel product; every tile writes a part of `c` of its own.
private struct SharedPointers: @unchecked Sendable {
    let a: UnsafePointer<Float>
    let b: UnsafePointer<Float>
    let c: UnsafeMutablePointer<Float>
}
