import CKernels
import LinearAlgebra

/// For each feature of a single-layer dictionary the features of another whose decoder vectors point the same way.
///
/// Cosines are those of the decoder vectors in the units of the layer's standardised activations. Every dictionary that
/// reads standardised activations writes in these units at whatever layer it reads, and a change of scale changes no
/// cosine; a crosscoder has a part of its decoder for each layer.
struct AgreeingFeatures {
    /// The least cosine of two features that agree.
    static let leastCosine: Float = 0.7
    /// Candidates kept for a feature, those of the largest cosines.
    private static let most = 64
    private static let tile = 256

    /// Where the candidates of each feature begin `[features + 1]`.
    let offsets: [Int]
    /// The candidates: features of the other dictionary, ascending.
    let candidates: [Int32]

    /// Finds the candidates.
    ///
    /// - Parameters:
    ///   - features: decoder rows of the single-layer dictionary `[features × d]`.
    ///   - isAlive: which of them to look for.
    ///   - other: decoder rows of the other `[latents × width]`.
    ///   - column: where its part for the layer begins.
    /// - Complexity: features · latents · d.
    init(_ features: Matrix, where isAlive: [Bool], in other: Matrix, from column: Int, workers: Workers) {
        let d = features.columns
        let tiles = (features.rows + Self.tile - 1) / Self.tile
        let (own, theirs) = (
            Self.inverseNorms(features, from: 0, width: d), Self.inverseNorms(other, from: column, width: d)
        )
        let scratch = (0..<workers.count).map { _ in Matrix(scratchRows: Self.tile, columns: Self.tile) }
        let found = [[[(cosine: Float, feature: Int32)]]](unsafeUninitializedCapacity: tiles) { found, count in
            found.initialize(repeating: [])
            count = tiles
            // Every tile writes its own lists.
            nonisolated(unsafe) let found = found
            workers.forEach(features.rows, tile: Self.tile) { rows, worker in
                var lists = Array(repeating: [(cosine: Float, feature: Int32)](), count: rows.count)
                let products = scratch[worker]
                for first in stride(from: 0, to: other.rows, by: Self.tile) {
                    let columns = min(Self.tile, other.rows - first)
                    multiply(
                        rows: rows.count, columns: columns, inner: d, features.row(rows.lowerBound), stride: d,
                        other.row(first) + column, stride: other.columns, transposeB: true, into: products.pointer,
                        stride: Self.tile)
                    for row in rows where isAlive[row] {
                        let line = products.row(row - rows.lowerBound)
                        for place in 0..<columns {
                            let cosine = line[place] * own[row] * theirs[first + place]
                            guard cosine >= Self.leastCosine else { continue }
                            lists[row - rows.lowerBound].append((cosine, Int32(truncatingIfNeeded: first + place)))
                        }
                    }
                }
                found[rows.lowerBound / Self.tile] = lists.map(Self.nearest)
            }
        }
        let lists = found.flatMap(\.self)
        offsets = lists.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
        candidates = lists.flatMap { $0.map(\.feature) }
    }

    private static func nearest(_ list: [(cosine: Float, feature: Int32)]) -> [(cosine: Float, feature: Int32)] {
        guard list.count > most else { return list }
        let ranked = list.sorted { $0.cosine == $1.cosine ? $0.feature < $1.feature : $0.cosine > $1.cosine }
        return ranked[..<most].sorted { $0.feature < $1.feature }
    }

    /// 1 / ‖row‖ of a part of each row; NaN for one without a direction, which agrees with nothing.
    private static func inverseNorms(_ rows: Matrix, from column: Int, width: Int) -> [Float] {
        (0..<rows.rows).map { row in
            let part = rows.row(row) + column
            let square = rsae_dot(part, part, Int64(width))
            return square >= 1e-30 && square <= 1e30 ? 1 / square.squareRoot() : .nan
        }
    }
}
