import CKernels
package import LinearAlgebra

/// Which rows of a decoder point the same way: features of one dictionary, or of two.
///
/// Nearness is the cosine of decoder rows with its sign, so opposite directions are far apart. Cosines are computed from
/// the rows as they are and their norms, in single precision; rows are not copied. A row of zeros has no direction: it
/// has no neighbours and is none. The same goes for rows that are not finite and for norms beyond 1e±15, whose products
/// leave the range of single precision.
///
/// Tiles are cut by the problem alone, and what a list holds does not depend on the order of the offers, so results are
/// equal to the bit for any number of threads.
package struct NearestFeatures: Sendable {
    /// Decoder rows, `[features × D]`, row-major.
    package let decoder: Matrix
    /// 1 / ‖row‖ of each row, `[1 × features]`; NaN for a row without a direction.
    let inverseNorms: Matrix
    let workers: Workers

    /// Rows and columns of a tile of products.
    static let tile = 512
    /// Products of two tiles between two questions whether to go on.
    static let stretch = 128
    /// Features that are delivered at a time at most.
    static let delivery = 1024

    /// A row and how near it is.
    package struct Match: Sendable, Equatable {
        /// The row's number.
        package let featureIndex: Int
        /// The cosine, −1…1.
        package let cosine: Float

        /// Describes a match.
        package init(featureIndex: Int, cosine: Float) {
            self.featureIndex = featureIndex
            self.cosine = cosine
        }
    }

    /// Measures the rows.
    ///
    /// - Precondition: at most 2³¹ − 1 rows.
    /// - Complexity: features · D.
    package init(decoder: Matrix, workers: Workers) {
        precondition(decoder.rows <= Int(Int32.max), "\(decoder.rows) rows")
        self.decoder = decoder
        self.workers = workers
        let inverseNorms = Matrix(rows: 1, columns: decoder.rows)
        workers.forEach(decoder.rows, tile: NearestFeatures.tile) { rows, _ in
            for row in rows {
                inverseNorms.pointer[row] = NearestFeatures.inverseNorm(decoder.row(row), decoder.columns)
            }
        }
        self.inverseNorms = inverseNorms
    }

    /// 1 / ‖vector‖, NaN without a direction.
    static func inverseNorm(_ vector: UnsafePointer<Float>, _ d: Int) -> Float {
        let square = rsae_dot(vector, vector, Int64(d))
        return square >= 1e-30 && square <= 1e30 ? 1 / square.squareRoot() : .nan
    }

    /// Round-off may leave a cosine just beyond 1.
    static func clamped(_ cosine: Float) -> Float { max(-1, min(1, cosine)) }
}
