import CKernels
package import LinearAlgebra

/// Finds similar rows of decoders: features of one dictionary, or of two.
///
/// Similarity is the cosine of decoder rows with its sign, so opposite directions are far apart. Cosines are computed
/// from the rows and their norms, in single precision, without copying rows. A row of zeros has no direction: it
/// has no neighbours and is no neighbour. The same goes for rows that are not finite and for norms beyond 1e±15, whose
/// products leave the range of single precision.
///
/// Tiles depend on the problem alone, and the content of a list does not depend on the order of offers, so results are
/// equal bit for bit on any number of threads.
package struct NearestFeatures: Sendable {
    /// Decoder rows, `[features × D]`, row-major.
    package let decoder: Matrix
    /// 1 / ‖row‖ of each row, `[1 × features]`; NaN for a row without a direction.
    let inverseNorms: Matrix
    let workers: Workers

    /// Rows and columns of a tile of products.
    static let tile = 512
    /// Products of two tiles between two checks for cancellation.
    static let stretch = 128
    /// Features that are delivered at a time at most.
    static let delivery = 1024

    /// A row with its similarity.
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

    /// Computes the norms.
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

    /// Round-off may leave a cosine slightly beyond 1.
    static func clamped(_ cosine: Float) -> Float { max(-1, min(1, cosine)) }
}
