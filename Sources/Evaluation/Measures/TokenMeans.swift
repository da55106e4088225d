import CKernels
import LinearAlgebra

/// Predicts a token's activations from which token it is: what a dictionary has to beat to say anything that the text
/// itself does not.
///
/// The prediction is the mean of all tokens plus Σ (y − mean) / (n + penalty) over the n fitted tokens with the same id:
/// ridge regression on an indicator for each id, with the penalty of `SparseRidge`. Ids beyond the first 16,384, in the
/// order of the text, and those that were not seen get the mean.
struct TokenMeans {
    private static let most = 16384

    private var place: [Int32: Int] = [:]
    private var counts: [Int] = []
    /// Σ y of each id, then its prediction `[ids × targets]`.
    private var rows: [Matrix] = []
    private var total: [Double]
    private var tokens = 0

    /// The mean of all tokens `[1 × targets]`, once it is solved.
    private(set) var mean: Matrix

    init(targets: Int) {
        total = Array(repeating: 0, count: targets)
        mean = Matrix(rows: 1, columns: targets)
    }

    /// Adds tokens.
    ///
    /// - Parameter targets: y `[tokens × targets]`.
    mutating func add(_ ids: ArraySlice<Int32>, targets: Matrix) {
        for (row, id) in ids.enumerated() {
            let y = targets.row(row)
            for column in total.indices { total[column] += Double(y[column]) }
            tokens += 1
            if place[id] == nil {
                guard rows.count < Self.most else { continue }
                place[id] = rows.count
                rows.append(Matrix(rows: 1, columns: total.count))
                counts.append(0)
            }
            guard let place = place[id] else { continue }
            rsae_add_scaled(rows[place].pointer, 1, y, Int64(total.count))
            counts[place] += 1
        }
    }

    /// Makes predictions of the sums.
    mutating func solve(penalty: Double) {
        for column in total.indices { mean.pointer[column] = Float(total[column] / Double(max(tokens, 1))) }
        for (row, count) in zip(rows, counts) {
            let (n, share) = (Float(count), Float(1 / (Double(count) + penalty)))
            for column in total.indices {
                row.pointer[column] = mean.pointer[column] + share * (row.pointer[column] - n * mean.pointer[column])
            }
        }
    }

    /// The prediction for a token `[targets]`; valid as long as the means are.
    func prediction(for id: Int32) -> Matrix { place[id].map { rows[$0] } ?? mean }
}
