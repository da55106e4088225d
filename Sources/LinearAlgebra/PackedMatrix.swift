import CKernels

/// Constant weights `[rows × columns]`, laid out once so that products with their transpose read memory
/// sequentially (`weight_panels.h`): panels of some rows one after another, in each for every column the elements
/// of its rows side by side; the last panel is filled up with zeros. All kernels read this layout.
///
/// Panels have 16 rows. Those of weights that are read for a single row at a time have 64, which such a product takes side
/// by side: so it reads one stream of memory instead of several.
///
/// Elements are f32, or bf16, of which two neighbouring columns stand together. A product in f32 widens them on the way,
/// and its bits are those of the product with the weights row by row; a product of bf16 takes them as they are.
///
/// Panels are filled in any order and on any threads, and not while a product reads them.
package final class PackedMatrix: @unchecked Sendable {
    /// How many rows a narrow panel has.
    package static let narrowPanelRows = Int(RSAE_PANEL_COLUMNS)

    /// How many rows a panel has.
    package let panelRows: Int
    /// The number of rows: outputs of a linear layer.
    package let rows: Int
    /// The number of columns: inputs of a linear layer.
    package let columns: Int
    /// Whether elements are bf16.
    package let isHalved: Bool
    let panels: UnsafeMutableRawPointer
    /// What the elements lie in; nil if they are freed with the matrix.
    private let block: MatrixStorage.Block?

    /// Bytes that the elements take.
    package let byteCount: Int

    /// Makes room for a matrix; its elements are not set.
    ///
    /// - Parameters:
    ///   - halved: whether elements are kept as bf16: for weights that are such, or for products of bf16.
    ///   - wide: whether panels are wide.
    ///   - storage: where the elements are to lie; by themselves if nil.
    /// - Precondition: sides are positive, and fit in memory.
    package init(rows: Int, columns: Int, halved: Bool, wide: Bool = false, in storage: MatrixStorage? = nil) {
        precondition(rows > 0 && columns > 0, "a packed matrix has rows and columns")
        panelRows = wide ? Int(RSAE_WIDE_PANEL_COLUMNS) : Self.narrowPanelRows
        self.rows = rows
        self.columns = columns
        isHalved = halved
        let bytes = (rows + panelRows - 1) / panelRows * panelRows * Self.rowBytes(columns: columns, halved: halved)
        byteCount = bytes
        if let storage {
            let place = storage.take(byteCount: bytes)
            (panels, block) = (place.start, place.block)
        } else {
            (panels, block) = (AlignedMemory.allocate(byteCount: bytes), nil)
        }
    }

    /// Packs a whole matrix.
    ///
    /// - Parameter weights: `[rows × columns]`, row-major without gaps.
    package convenience init(
        _ weights: UnsafePointer<Float>, rows: Int, columns: Int, halved: Bool, wide: Bool = false,
        in storage: MatrixStorage? = nil, workers: Workers
    ) {
        self.init(rows: rows, columns: columns, halved: halved, wide: wide, in: storage)
        update(from: weights, workers: workers)
    }

    /// Packs all rows anew.
    ///
    /// - Parameter weights: `[rows × columns]`, row-major without gaps.
    package func update(from weights: UnsafePointer<Float>, workers: Workers) {
        workers.forEach(rows, tile: Int(RSAE_WIDE_PANEL_COLUMNS)) { part, _ in
            pack(part, from: weights + part.lowerBound * columns)
        }
    }

    deinit {
        if block == nil { panels.deallocate() }
    }

    /// Sets some rows.
    ///
    /// - Parameters:
    ///   - part: whole panels: it begins at a multiple of `panelRows`, and ends at one or at the last row.
    ///   - weights: these rows, row-major. If the matrix is halved they are rounded to bf16.
    ///   - stride: elements from one row to the next; without gaps if nil.
    package func pack(_ part: Range<Int>, from weights: UnsafePointer<Float>, stride: Int? = nil) {
        precondition(
            part.lowerBound % panelRows == 0 && part.upperBound <= rows
                && (part.upperBound % panelRows == 0 || part.upperBound == rows),
            "rows \(part) of \(rows) are no whole panels")
        rsae_pack_panels(weights, Int64(stride ?? columns), Int64(part.count), layout(from: part.lowerBound))
    }

    /// Sets every element to zero.
    package func clear() { panels.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount) }

    /// Sets one row, `[columns]`, rounded to bf16 if the matrix is halved.
    package func setRow(_ row: Int, to weights: UnsafePointer<Float>) {
        precondition(row >= 0 && row < rows, "row \(row) of \(rows)")
        rsae_pack_column(weights, Int64(row), layout())
    }

    /// Sets one column, `[rows]`, rounded to bf16 if the matrix is halved: there an even column also sets the odd one
    /// behind it to zero. Columns of different pairs may be set at a time.
    package func setColumn(_ column: Int, to weights: UnsafePointer<Float>) {
        precondition(column >= 0 && column < columns, "column \(column) of \(columns)")
        rsae_pack_term(weights, Int64(rows), Int64(column), layout())
    }

    /// Copies the first columns of another matrix of as many rows.
    ///
    /// - Precondition: both are halved or neither is, and panels are narrow; an even number of columns.
    package func copyColumns(_ count: Int, of other: PackedMatrix) {
        precondition(
            other.rows == rows && other.isHalved == isHalved && !isWide && !other.isWide && count % 2 == 0
                && count <= min(columns, other.columns),
            "\(count) columns of another matrix")
        let panelBytes = (isHalved ? count / 2 : count) * 4 * panelRows
        for row in stride(from: 0, to: rows, by: panelRows) {
            panel(ofRow: row).copyMemory(from: other.panel(ofRow: row), byteCount: panelBytes)
        }
    }

    /// Copies the first rows of another matrix of as many columns.
    ///
    /// - Precondition: both are halved or neither is, and panels are narrow; whole panels of rows.
    package func copyRows(_ count: Int, of other: PackedMatrix) {
        precondition(
            other.columns == columns && other.isHalved == isHalved && !isWide && !other.isWide && count % panelRows == 0
                && count <= min(rows, other.rows), "\(count) rows of another matrix")
        panels.copyMemory(from: other.panels, byteCount: count * Self.rowBytes(columns: columns, halved: isHalved))
    }

    /// Writes the elements of a row, `[columns]`, to `target`.
    package func copyRow(_ row: Int, to target: UnsafeMutablePointer<Float>) {
        precondition(row >= 0 && row < rows, "row \(row) of \(rows)")
        rsae_unpack_column(layout(), Int64(row), target)
    }

    /// The panel that begins with a row.
    func panel(ofRow row: Int) -> UnsafeMutableRawPointer { panels + row * rowBytes }

    /// Whether panels are wide.
    var isWide: Bool { panelRows > Self.narrowPanelRows }

    /// Bytes that a row takes, within its panel.
    var rowBytes: Int { Self.rowBytes(columns: columns, halved: isHalved) }

    /// The panels as the kernels take them, from that of a row on, which begins one.
    private func layout(from row: Int = 0) -> rsae_panels {
        rsae_panels(start: panel(ofRow: row), width: Int64(panelRows), inner: Int64(columns), halved: isHalved)
    }

    private static func rowBytes(columns: Int, halved: Bool) -> Int { halved ? (columns + 1) / 2 * 4 : columns * 4 }
}
