package import LinearAlgebra

/// How well a plane shows who is near whom.
package enum NeighborShare {
    /// The share of neighbours that are among the nearest features in the plane.
    ///
    /// - Parameters:
    ///   - positions: `[2 × features]`.
    ///   - nearest: how many of the plane's nearest count; features at equal distance count in the order of numbers.
    /// - Returns: nil without pairs.
    /// - Complexity: features².
    package static func share(
        of pairs: [(feature: Int, neighbor: Int)], at positions: Matrix, nearest: Int, workers: Workers
    ) -> Double? {
        guard !pairs.isEmpty else { return nil }
        let m = positions.columns
        let lists = Dictionary(grouping: pairs, by: \.feature).mapValues { $0.map(\.neighbor) }
        let found = Matrix(rows: 1, columns: m)
        workers.forEach(m, tile: 64) { features, _ in
            let (xs, ys) = (positions.row(0), positions.row(1))
            for feature in features {
                guard let neighbors = lists[feature] else { continue }
                func distance(_ other: Int) -> Float {
                    let (dx, dy) = (xs[feature] - xs[other], ys[feature] - ys[other])
                    return dx * dx + dy * dy
                }
                let limits = neighbors.map(distance)
                var nearer = [Int](repeating: 0, count: limits.count)
                for other in 0..<m where other != feature {
                    let distance = distance(other)
                    for (place, limit) in limits.enumerated()
                    where distance < limit || distance == limit && other < neighbors[place] { nearer[place] += 1 }
                }
                found.pointer[feature] = Float(nearer.count { $0 < nearest })
            }
        }
        return (0..<m).reduce(0.0) { $0 + Double(found.pointer[$1]) } / Double(pairs.count)
    }
}
