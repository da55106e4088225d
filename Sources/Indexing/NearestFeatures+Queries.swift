package import ActivationPipeline
import CKernels
package import LinearAlgebra

extension NearestFeatures {
    /// The features nearest to one feature, nearest first, never itself; equal cosines by rising number.
    ///
    /// - Returns: none for a feature without a direction.
    /// - Complexity: features · D.
    /// - Precondition: there is such a feature, and `count` is above 0.
    package func nearest(to feature: Int, count: Int = 10) -> [Match] {
        precondition(feature >= 0 && feature < decoder.rows, "feature \(feature) of \(decoder.rows)")
        return nearest(to: decoder.row(feature), inverseNorms.pointer[feature], count: count, but: feature)
    }

    /// The features nearest to a vector, nearest first; equal cosines by rising number.
    ///
    /// - Returns: none for a vector without a direction.
    /// - Complexity: features · D.
    /// - Precondition: the vector has D elements, and `count` is above 0.
    package func nearest(to vector: [Float], count: Int = 10) -> [Match] {
        precondition(vector.count == decoder.columns, "\(vector.count) elements for rows of \(decoder.columns)")
        let row = Matrix(rows: 1, columns: vector.count, elements: vector)
        return withExtendedLifetime(row) {
            nearest(
                to: row.pointer, NearestFeatures.inverseNorm(row.pointer, vector.count), count: count, but: nil)
        }
    }

    private func nearest(
        to vector: UnsafePointer<Float>, _ inverseNorm: Float, count: Int, but excluded: Int?
    ) -> [Match] {
        let (m, d) = (decoder.rows, decoder.columns)
        let products = Matrix(scratchRows: 1, columns: m)
        // Each product is computed by itself; the pointer is only read.
        nonisolated(unsafe) let vector = vector
        workers.forEach(m, tile: NearestFeatures.tile) { rows, _ in
            for row in rows { products.pointer[row] = rsae_dot(decoder.row(row), vector, Int64(d)) }
        }
        if let excluded { products.pointer[excluded] = .nan }
        let lists = RankedLists(rows: 1, count: count)
        lists.offer(
            products.pointer, scale: inverseNorms.pointer, factor: inverseNorm, count: m, first: 0, row: 0)
        return lists.entries(of: 0).map { Match(featureIndex: $0.number, cosine: NearestFeatures.clamped($0.value)) }
    }

    /// The nearest of these features for every row of another decoder; equal cosines give the lower number.
    ///
    /// Memory: 8 bytes for each row of the other decoder, and 1 MiB for each worker.
    ///
    /// - Parameters:
    ///   - other: `[rows × D]`, row-major.
    ///   - cancelled: asked now and then.
    ///   - progress: told how many of how many steps are done.
    /// - Returns: a match for each row; nil for a row without a direction, or if none of the features has one.
    /// - Throws: `WorkflowError.interrupted`.
    /// - Complexity: features · rows · D.
    /// - Precondition: both decoders have equally many columns.
    package func matches(
        ofRowsOf other: Matrix, cancelled: () -> Bool = { false },
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws(WorkflowError) -> [Match?] {
        precondition(other.columns == decoder.columns, "rows of \(other.columns) beside rows of \(decoder.columns)")
        let tile = NearestFeatures.tile
        let lists = RankedLists(rows: other.rows, count: 1)
        let scratch = (0..<workers.count).map { _ in Matrix(scratchRows: tile, columns: tile) }
        // A step has tiles of rows for many workers, and few enough features to take seconds.
        let (rowStep, featureStep) = (32 * tile, 16 * tile)
        let rowSteps = stride(from: 0, to: other.rows, by: rowStep)
        let featureSteps = stride(from: 0, to: decoder.rows, by: featureStep)
        let total = Array(rowSteps).count * Array(featureSteps).count
        var done = 0
        for firstRow in rowSteps {
            for first in featureSteps {
                if cancelled() { throw .interrupted("the matching of two dictionaries was not finished") }
                let features = first..<min(first + featureStep, decoder.rows)
                workers.forEach(min(rowStep, other.rows - firstRow), tile: tile) { rows, worker in
                    let rows = firstRow + rows.lowerBound..<firstRow + rows.upperBound
                    match(other, rows, with: features, lists, scratch[worker])
                }
                done += 1
                progress(done, total)
            }
        }
        return (0..<other.rows).map { row in
            lists.entries(of: row).first.map {
                Match(featureIndex: $0.number, cosine: NearestFeatures.clamped($0.value))
            }
        }
    }

    /// Offers some features to a tile of another decoder's rows.
    private func match(
        _ other: Matrix, _ rows: Range<Int>, with features: Range<Int>, _ lists: RankedLists, _ products: Matrix
    ) {
        let (d, tile) = (decoder.columns, NearestFeatures.tile)
        for first in stride(from: features.lowerBound, to: features.upperBound, by: tile) {
            let columns = min(tile, features.upperBound - first)
            multiply(
                rows: rows.count, columns: columns, inner: d, other.row(rows.lowerBound), stride: d,
                decoder.row(first), stride: d, transposeB: true, into: products.pointer, stride: tile)
            for row in rows {
                lists.offer(
                    products.row(row - rows.lowerBound), scale: inverseNorms.pointer + first,
                    factor: NearestFeatures.inverseNorm(other.row(row), d), count: columns, first: first, row: row)
            }
        }
    }
}
