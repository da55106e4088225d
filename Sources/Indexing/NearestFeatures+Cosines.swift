import CKernels
import LinearAlgebra

extension NearestFeatures {
    /// The cosines of one feature with every feature, by number; NaN with itself and where either has no direction.
    ///
    /// - Complexity: features · D.
    /// - Precondition: there is such a feature.
    package func cosines(to feature: Int) -> [Float] {
        let (m, d) = (decoder.rows, decoder.columns)
        precondition(feature >= 0 && feature < m, "feature \(feature) of \(m)")
        let values = Matrix(scratchRows: 1, columns: m)
        // Only read.
        nonisolated(unsafe) let row = decoder.row(feature)
        let factor = inverseNorms.pointer[feature]
        workers.forEach(m, tile: NearestFeatures.tile) { rows, _ in
            for other in rows {
                let product = rsae_dot(decoder.row(other), row, Int64(d))
                // max and min may lose a NaN, so it is handled separately.
                let cosine = product * factor * inverseNorms.pointer[other]
                values.pointer[other] = cosine.isNaN ? .nan : NearestFeatures.clamped(cosine)
            }
        }
        values.pointer[feature] = .nan
        return Array(UnsafeBufferPointer(start: values.pointer, count: m))
    }
}
