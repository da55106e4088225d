import LinearAlgebra
import SparseCoding

/// One part of a sample and its reconstruction, as the numbers that figures are made of.
struct Reconstruction {
    /// ‖û − u‖².
    let squaredError: Double
    /// ‖u‖².
    let square: Double
    /// û · u.
    let product: Double

    /// Takes the numbers of a batch.
    init(of sample: Int, part: Int, in read: ReadBatch) {
        squaredError = Double(read.squaredErrors[sample, part])
        square = Double(read.input.squaredNorm[sample, part])
        product = square + Double(read.errorProducts[sample, part])
    }

    /// ‖û‖² = ‖û − u‖² + 2 û · u − ‖u‖².
    private var outputSquare: Double { max(0, squaredError + 2 * product - square) }

    /// Adds the numbers to a group's sums.
    ///
    /// - Parameter share: the weight of this part in the means of ratios.
    func add(to group: Int, of sums: inout EvaluationSums, share: Double) {
        sums[.squaredError, group] += squaredError
        sums[.outputSquare, group] += outputSquare
        sums[.outputProduct, group] += product
        guard square > 0 else { return }
        sums[.relativeError, group] += share * squaredError / square
        sums[.normRatio, group] += share * (outputSquare / square).squareRoot()
    }
}
