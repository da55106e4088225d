/// How a tensor of a checkpoint lies in its file, where it is not as the forward pass wants it.
enum TensorArrangement: Sendable, Equatable {
    /// Row-major, outputs by inputs.
    case asStored
    /// Inputs by outputs (transformers' `Conv1D`, in GPT-2).
    case transposed
    /// For each head the rows of its query, its key, its value, of `dimension` rows each (GPT-NeoX); wanted are all
    /// queries, then all keys, then all values.
    case headsOfQueryKeyValue(dimension: Int)
    /// In each head of `dimension` rows, of the first `rotated` rows neighbours are rotated together (GPT-J); wanted is
    /// that row i is rotated with row i + `rotated` / 2. Products of queries and keys stay the same.
    case neighbouringPairs(dimension: Int, rotated: Int)

    /// The row where a row of the file is wanted, of `rows`.
    func wantedRow(of row: Int, rows: Int) -> Int {
        switch self {
        case .asStored, .transposed:
            return row
        case .headsOfQueryKeyValue(let dimension):
            let (head, rest) = row.quotientAndRemainder(dividingBy: 3 * dimension)
            return rest / dimension * (rows / 3) + head * dimension + rest % dimension
        case .neighbouringPairs(let dimension, let rotated):
            let place = row % dimension
            guard place < rotated else { return row }
            return row - place + place % 2 * (rotated / 2) + place / 2
        }
    }

    /// Writes consecutive rows of the file to their places.
    ///
    /// - Parameters:
    ///   - rows: which rows of the file, of `shape[0]`.
    ///   - source: those rows, `[rows × columns]`, `columns` being the product of the other dimensions.
    ///   - target: the whole tensor as it is wanted.
    func place(
        _ rows: Range<Int>, of shape: [Int], from source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>
    ) {
        let columns = shape.dropFirst().reduce(1, *)
        guard self == .transposed else {
            for row in rows {
                (target + wantedRow(of: row, rows: shape[0]) * columns).update(
                    from: source + (row - rows.lowerBound) * columns, count: columns)
            }
            return
        }
        // In squares, so that what is read and what is written both stay in the cache.
        let side = 32
        for top in stride(from: rows.lowerBound, to: rows.upperBound, by: side) {
            let some = top..<min(top + side, rows.upperBound)
            for left in stride(from: 0, to: columns, by: side) {
                for column in left..<min(left + side, columns) {
                    for row in some {
                        target[column * shape[0] + row] = source[(row - rows.lowerBound) * columns + column]
                    }
                }
            }
        }
    }
}
