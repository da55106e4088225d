import CKernels

/// Constant weights `[rows × columns]`, laid out once so that products with their transpose read memory
/// sequentially (`weight_panels.h`): panels of 16 rows one after another, in each for every column the elements
/// of its 16 rows side by side; the last panel is filled up with zeros. All kernels read this layout.
///
/// Elements are f32, or bf16, of which two neighbouring columns stand together. A product in f32 widens them on the way,
/// and its bits are those of the product with the weights row by row; a product of bf16 takes them as they are.
///
/// Panels are filled in any order and on any threads, and not while a product reads them.
package final class PackedMatrix: @unchecked Sendable {
    /// How many rows a panel has.
    package static let panelRows = Int(RSAE_PANEL_COLUMNS)

    /// The number of rows: outputs of a linear layer.
    package let rows: Int
    /// The number of columns: inputs of a linear layer.
    package let columns: Int
    /// Whether elements are bf16.
    package let isHalved: Bool
    let panels: UnsafeMutableRawPointer

    /// Bytes that the elements take.
    package var byteCount: Int { Self.byteCount(rows: rows, columns: columns, halved: isHalved) }

    /// Makes room for a matrix; its elements are not set.
    ///
    /// - Parameter halved: whether elements are kept as bf16: for weights that are such, or for products of bf16.
    /// - Precondition: sides are positive, and fit in memory.
    package init(rows: Int, columns: Int, halved: Bool) {
        precondition(rows > 0 && columns > 0, "a packed matrix has rows and columns")
        self.rows = rows
        self.columns = columns
        isHalved = halved
        panels = AlignedMemory.allocate(byteCount: Self.byteCount(rows: rows, columns: columns, halved: halved))
    }

    /// Packs a whole matrix.
    ///
    /// - Parameter weights: `[rows × columns]`, row-major without gaps.
    package convenience init(
        _ weights: UnsafePointer<Float>, rows: Int, columns: Int, halved: Bool, workers: Workers
    ) {
        self.init(rows: rows, columns: columns, halved: halved)
        update(from: weights, workers: workers)
    }

    /// Packs all rows anew.
    ///
    /// - Parameter weights: `[rows × columns]`, row-major without gaps.
    package func update(from weights: UnsafePointer<Float>, workers: Workers) {
        workers.forEach(rows, tile: 4 * Self.panelRows) { part, _ in
            pack(part, from: weights + part.lowerBound * columns)
        }
    }

    deinit {
        panels.deallocate()
    }

    /// Sets some rows.
    ///
    /// - Parameters:
    ///   - part: whole panels: it begins at a multiple of `panelRows`, and ends at one or at the last row.
    ///   - weights: these rows, row-major without gaps. If the matrix is halved they are rounded to bf16.
    package func pack(_ part: Range<Int>, from weights: UnsafePointer<Float>) {
        precondition(
            part.lowerBound % Self.panelRows == 0 && part.upperBound <= rows
                && (part.upperBound % Self.panelRows == 0 || part.upperBound == rows),
            "rows \(part) of \(rows) are no whole panels")
        rsae_pack_panels(
            weights, Int64(columns), Int64(part.count), Int64(columns), isHalved, panel(ofRow: part.lowerBound))
    }

    /// Writes the elements of a row, `[columns]`, to `target`.
    package func copyRow(_ row: Int, to target: UnsafeMutablePointer<Float>) {
        precondition(row >= 0 && row < rows, "row \(row) of \(rows)")
        rsae_unpack_column(panels, isHalved, Int64(row), Int64(columns), target)
    }

    /// The panel that begins with a row.
    func panel(ofRow row: Int) -> UnsafeMutableRawPointer {
        panels + row * Self.rowBytes(columns: columns, halved: isHalved)
    }

    private static func byteCount(rows: Int, columns: Int, halved: Bool) -> Int {
        (rows + panelRows - 1) / panelRows * panelRows * rowBytes(columns: columns, halved: halved)
    }

    private static func rowBytes(columns: Int, halved: Bool) -> Int { halved ? (columns + 1) / 2 * 4 : columns * 4 }
}
