/// Sums over the tokens of some documents. Every figure is a function of sums: those of all documents
/// give the figure, those of resampled documents its interval.
struct EvaluationSums: DocumentSums {
    /// Sums kept for each of the dictionary's layers, and for all together.
    enum Grouped: Int, CaseIterable {
        /// Samples read from the layer.
        case samples
        /// Σ‖û − u‖².
        case squaredError
        /// Σ‖û − u‖² / ‖u‖².
        case relativeError
        /// Σ‖û‖ / ‖u‖.
        case normRatio
        /// Σ‖û‖².
        case outputSquare
        /// Σ û · u.
        case outputProduct
        /// Σ‖u − mean u‖²; until `center` Σ‖u‖².
        case variance
        /// Latents that fire.
        case active
        /// Real tokens read from this layer.
        case tokens
        /// KL(original ‖ substituted), nats.
        case divergence
        /// Tokens with a next token in their segment.
        case predicted
        /// Cross-entropy of the next token there, nats: of the model as it is,
        case crossEntropy
        /// and with the reconstructions.
        case substituted
        /// The router's weight.
        case weight
    }

    /// Sums kept once.
    enum Single: Int, CaseIterable {
        /// Segments.
        case segments
        /// Where the zeroed model was run: tokens behind which the segment goes on, and the cross-entropies there of the
        /// model as it is, with the reconstructions, and with zeros.
        case zeroPredicted, zeroCrossEntropy, zeroSubstituted, zeroed
        /// Entropies of the router's distributions, nats.
        case entropy
        /// The router's weight of the layer that was chosen.
        case chosenWeight
    }

    /// Groups: the dictionary's layers, then all together.
    let groupCount: Int
    private(set) var values: [Double]
    /// Σu of each group's samples, `[groups][width]`; empty once centred.
    private var vectors: [[Double]]

    init(widths: [Int]) {
        groupCount = widths.count
        values = Array(
            repeating: 0, count: widths.count * Grouped.allCases.count + Single.allCases.count)
        vectors = widths.map { Array(repeating: 0, count: $0) }
    }

    subscript(sum: Grouped, group: Int) -> Double {
        get { values[group * Grouped.allCases.count + sum.rawValue] }
        set { values[group * Grouped.allCases.count + sum.rawValue] = newValue }
    }

    subscript(sum: Single) -> Double {
        get { values[groupCount * Grouped.allCases.count + sum.rawValue] }
        set { values[groupCount * Grouped.allCases.count + sum.rawValue] = newValue }
    }

    /// The group of all layers together.
    var all: Int { groupCount - 1 }

    /// Notes a sample's input, `[width]`.
    mutating func add(_ input: UnsafePointer<Float>, to group: Int) {
        vectors[group].withUnsafeMutableBufferPointer { sums in
            for column in sums.indices { sums[column] += Double(input[column]) }
        }
    }

    mutating func add(_ other: EvaluationSums, times: Double) {
        for index in values.indices { values[index] += times * other.values[index] }
        for (group, vector) in other.vectors.enumerated() where group < vectors.count {
            for column in vector.indices { vectors[group][column] += times * vector[column] }
        }
    }

    /// The mean input of each group.
    var means: [[Double]] {
        vectors.enumerated().map { group, vector in
            let count = self[.samples, group]
            return count > 0 ? vector.map { $0 / count } : vector
        }
    }

    /// Makes Σ‖u − mean‖² of Σ‖u‖². The means are those of the whole text, also for an interval: what they vary from one
    /// sample of documents to the next is of second order.
    mutating func center(on means: [[Double]]) {
        for group in 0..<groupCount {
            var (cross, square) = (0.0, 0.0)
            for (column, mean) in means[group].enumerated() {
                cross += mean * vectors[group][column]
                square += mean * mean
            }
            self[.variance, group] += self[.samples, group] * square - 2 * cross
        }
        vectors = []
    }
}
