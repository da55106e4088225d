import CKernels

extension Workers {
    /// `C = A · Bᵀ (+ C if accumulating)` of bf16, accumulated in f32: `A [rows × B.columns]`, rounded to bf16 on the
    /// way, `B` bf16 row by row, `C [rows × B.rows]`, row-major.
    ///
    /// An element of C is a sum in a fixed order (`bf16_product.h`): no bit depends on other rows or columns, the number
    /// of threads, or the kernel. Numbers below the smallest normal one count as zero.
    package func multiply(
        rows: Int,
        _ a: UnsafePointer<Float>,
        stride strideA: Int,
        byTransposeOf b: BF16Matrix,
        into c: UnsafeMutablePointer<Float>,
        stride strideC: Int,
        accumulating: Bool = false,
        with kernel: BF16Kernel? = nil
    ) {
        multiplyBF16(
            rows: rows, columns: b.rows, inner: b.columns, a, stride: strideA, into: c, stride: strideC,
            accumulating: accumulating, rowTile: 2 * Workers.productRowTile, with: kernel
        ) { [first = b.row(0), columns = b.columns] product, firstColumn in
            product.b = first + firstColumn * columns
            product.b_stride = Int64(columns)
        }
        withExtendedLifetime(b) {}
    }

    /// The same with packed weights, which have to be halved, and with the same bits.
    package func multiplyBF16(
        rows: Int,
        _ a: UnsafePointer<Float>,
        stride strideA: Int,
        byTransposeOf b: PackedMatrix,
        into c: UnsafeMutablePointer<Float>,
        stride strideC: Int,
        accumulating: Bool = false,
        with kernel: BF16Kernel? = nil
    ) {
        precondition(b.isHalved, "packed weights of f32 in a product of bf16")
        multiplyBF16(
            rows: rows, columns: b.rows, inner: b.columns, a, stride: strideA, into: c, stride: strideC,
            accumulating: accumulating, with: kernel
        ) { [panels = b.panels, rowBytes = b.rowBytes, isWide = b.isWide] product, firstColumn in
            product.b_is_wide = isWide
            product.b_panels = UnsafeRawPointer(panels + firstColumn * rowBytes)
        }
        withExtendedLifetime(b) {}
    }

    private func multiplyBF16(
        rows: Int, columns: Int, inner: Int, _ a: UnsafePointer<Float>, stride strideA: Int,
        into c: UnsafeMutablePointer<Float>, stride strideC: Int, accumulating: Bool,
        rowTile most: Int = Workers.productRowTile, with kernel: BF16Kernel?,
        placing: (_ product: inout rsae_bf16_product, _ firstColumn: Int) -> Void
    ) {
        let (rowTile, columnTile) = productTile(rows: rows, columns: columns, inner: inner, rowTile: most)
        let rowTiles = (rows + rowTile - 1) / rowTile
        let columnTiles = (columns + columnTile - 1) / columnTile
        let kernel = kernel?.kernel ?? rsae_bf16_product_kernel()
        forEach(tiles: rowTiles * columnTiles) { tile, _ in
            let firstRow = (tile % rowTiles) * rowTile
            let firstColumn = (tile / rowTiles) * columnTile
            var product = rsae_bf16_product()
            product.rows = Int64(min(rowTile, rows - firstRow))
            product.columns = Int64(min(columnTile, columns - firstColumn))
            product.inner = Int64(inner)
            product.accumulates = accumulating
            product.a = a + firstRow * strideA
            product.a_stride = Int64(strideA)
            product.c = c + firstRow * strideC + firstColumn
            product.c_stride = Int64(strideC)
            placing(&product, firstColumn)
            rsae_multiply_bf16_with(kernel, &product)
        }
    }
}
