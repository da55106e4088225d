import CKernels
import LinearAlgebra

/// Σ‖u − mean u‖² over any number of tokens, in one pass (Chan, Golub, LeVeque 1979, "Updating formulae and a pairwise
/// algorithm for computing sample variances").
struct VarianceSum {
    private var mean: [Double]
    private var count = 0.0
    /// The sum so far.
    private(set) var total = 0.0

    init(dModel: Int) {
        mean = Array(repeating: 0, count: dModel)
    }

    /// Adds the first rows of a matrix `[rows × d]`.
    mutating func add(_ matrix: Matrix, rows: Int) {
        guard rows > 0 else { return }
        let sums = Matrix(rows: 2, columns: matrix.columns)
        rsae_column_sums(
            matrix.pointer, Int64(rows), Int64(matrix.columns), Int64(matrix.columns), sums.row(0), sums.row(1))
        let n = Double(rows)
        for column in mean.indices {
            let batchMean = Double(sums[0, column]) / n
            let delta = batchMean - mean[column]
            total += Double(sums[1, column]) - batchMean * batchMean * n + delta * delta * count * n / (count + n)
            mean[column] += delta * n / (count + n)
        }
        count += n
    }
}
