import LinearAlgebra

/// Directions in groups around random centres, and who is whose nearest by a loop over all pairs.
struct PlantedDirections {
    let rows: Matrix
    let groups: [Int]

    /// - Parameter spread: length of what is added to a centre of length 1.
    init(groups: Int, each: Int, columns: Int, spread: Float, seed: UInt64 = 5) {
        var generator = CounterGenerator(seed: seed)
        func vector() -> [Float] {
            let values = (0..<columns).map { _ in generator.uniform() + generator.uniform() - 1 }
            let size = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return values.map { $0 / size }
        }
        let centers = (0..<groups).map { _ in vector() }
        self.groups = (0..<groups * each).map { $0 % groups }
        rows = Matrix(rows: groups * each, columns: columns)
        for row in 0..<groups * each {
            for (column, noise) in vector().enumerated() {
                rows[row, column] = (centers[row % groups][column] + spread * noise) * Float(1 + row % 3)
            }
        }
    }

    /// The pairs of each row with its nearest by cosine.
    func pairs(_ count: Int) -> [(feature: Int, neighbor: Int)] {
        let units = (0..<rows.rows).map { row -> [Double] in
            let values = (0..<rows.columns).map { Double(rows[row, $0]) }
            let size = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return values.map { $0 / size }
        }
        return units.indices.flatMap { row in
            let cosines = units.map { other in zip(units[row], other).reduce(0) { $0 + $1.0 * $1.1 } }
            return cosines.indices.filter { $0 != row }.sorted { (cosines[$0], $1) > (cosines[$1], $0) }.prefix(count)
                .map { (row, $0) }
        }
    }
}
