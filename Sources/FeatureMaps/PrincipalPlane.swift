package import LinearAlgebra

/// The two principal components of directions: where each row, at length 1, lies in the plane along which rows vary most.
///
/// Found by orthogonal iteration of a block of random vectors (Halko, Martinsson, Tropp 2011, "Finding structure with
/// randomness", SIAM Review 53). Every sum has one order, so the bits do not depend on the number of threads.
package struct PrincipalPlane {
    /// Vectors iterated; those behind the second speed up its convergence.
    private static let block = 8
    /// Rounds of iteration.
    private static let rounds = 16
    /// Rows or columns of a tile.
    private static let tile = 512

    /// Coordinates, `[2 × rows]`: all along the first component, then all along the second. 0 for a row without a direction.
    package let coordinates: Matrix
    /// The components, `[2 × columns]`, each of length 1 (0 where the rows do not vary).
    package let components: Matrix

    /// Finds the plane.
    ///
    /// - Parameter rows: `[rows × columns]`, row-major; a row of zeros, or one that is not finite, has no direction.
    /// - Complexity: 256 · rows · columns.
    package init(of rows: Matrix, seed: UInt64 = 0, workers: Workers) {
        let iteration = Iteration(rows, workers)
        let (m, d, p) = (rows.rows, rows.columns, min(Self.block, rows.columns))
        let basis = Matrix(rows: p, columns: d)
        var generator = CounterGenerator(seed: seed, stream: "principal plane")
        for place in 0..<p * d { basis.pointer[place] = generator.uniform() - 0.5 }
        Self.orthonormalize(basis)
        let projected = Matrix(rows: max(m, 1), columns: max(p, 1))
        for _ in 0..<Self.rounds {
            iteration.project(basis, into: projected)
            iteration.collect(projected, into: basis)
            Self.orthonormalize(basis)
        }
        iteration.project(basis, into: projected)
        coordinates = Matrix(rows: 2, columns: m)
        components = Matrix(rows: 2, columns: d)
        for axis in 0..<min(2, p) {
            components.row(axis).update(from: basis.row(axis), count: d)
            for row in 0..<m where iteration.scales.pointer[row] > 0 {
                coordinates[axis, row] = projected[row, axis]
            }
        }
    }

    /// Makes rows orthogonal to those before them and of length 1; one that vanishes becomes 0 (Gram and Schmidt, twice
    /// for accuracy).
    private static func orthonormalize(_ basis: Matrix) {
        for row in 0..<basis.rows {
            let vector = basis.row(row)
            let start = length(vector, basis.columns)
            for _ in 0..<2 {
                for other in 0..<row {
                    let share = Float(dot(vector, basis.row(other), basis.columns))
                    for column in 0..<basis.columns { vector[column] -= share * basis.row(other)[column] }
                }
            }
            let rest = length(vector, basis.columns)
            let factor = rest > 1e-6 * start && rest.isFinite ? Float(1 / rest) : 0
            for column in 0..<basis.columns { vector[column] *= factor }
        }
    }

    private static func dot(_ one: UnsafePointer<Float>, _ two: UnsafePointer<Float>, _ count: Int) -> Double {
        var sum = 0.0
        for place in 0..<count { sum += Double(one[place]) * Double(two[place]) }
        return sum
    }

    private static func length(_ vector: UnsafePointer<Float>, _ count: Int) -> Double {
        dot(vector, vector, count).squareRoot()
    }

    /// Multiplies by the rows, each divided by its length and moved by the mean, without copying them.
    private struct Iteration {
        let rows: Matrix
        let workers: Workers
        /// 1 / ‖row‖; 0 without a direction.
        let scales: Matrix
        /// Mean direction of the rows that have one.
        private let mean: Matrix

        init(_ rows: Matrix, _ workers: Workers) {
            self.workers = workers
            let (m, d) = (rows.rows, rows.columns)
            let scales = Matrix(rows: 1, columns: m)
            workers.forEach(m, tile: tile) { some, _ in
                for row in some {
                    let size = length(rows.row(row), d)
                    scales.pointer[row] = size > 1e-15 && size < 1e15 ? Float(1 / size) : 0
                }
            }
            self.scales = scales
            self.rows = Self.finite(rows, scales)
            let mean = Matrix(rows: 1, columns: d)
            let count = (0..<m).reduce(0) { $0 + (scales.pointer[$1] > 0 ? 1 : 0) }
            workers.forEach(d, tile: 64) { columns, _ in
                var sums = [Double](repeating: 0, count: columns.count)
                for row in 0..<m where scales.pointer[row] > 0 {
                    for column in columns {
                        sums[column - columns.lowerBound] += Double(rows.row(row)[column]) * Double(scales.pointer[row])
                    }
                }
                for column in columns {
                    mean.pointer[column] = Float(sums[column - columns.lowerBound] / Double(max(1, count)))
                }
            }
            self.mean = mean
        }

        /// The rows, those that are not finite as zeros: times 0 they would still not be finite. A copy only then.
        private static func finite(_ rows: Matrix, _ scales: Matrix) -> Matrix {
            let broken = (0..<rows.rows).filter {
                scales.pointer[$0] == 0 && !length(rows.row($0), rows.columns).isFinite
            }
            guard !broken.isEmpty else { return rows }
            let cleaned = rows.copy()
            for row in broken { cleaned.row(row).update(repeating: 0, count: rows.columns) }
            return cleaned
        }

        /// `projected [rows × block]` = centred rows · basisᵀ; 0 for rows without a direction.
        func project(_ basis: Matrix, into projected: Matrix) {
            let (m, d, p) = (rows.rows, rows.columns, basis.rows)
            guard m > 0, p > 0 else { return }
            workers.multiply(
                rows: m, columns: p, inner: d, rows.pointer, stride: d, byTransposeOf: basis.pointer, stride: d,
                into: projected.pointer, stride: p)
            let offsets = (0..<p).map { Float(dot(mean.pointer, basis.row($0), d)) }
            for row in 0..<m {
                let scale = scales.pointer[row]
                for column in 0..<p {
                    projected[row, column] = scale > 0 ? projected[row, column] * scale - offsets[column] : 0
                }
            }
        }

        /// `basis [block × columns]` = projectedᵀ · centred rows. Scales `projected` in place.
        func collect(_ projected: Matrix, into basis: Matrix) {
            let (m, d, p) = (rows.rows, rows.columns, basis.rows)
            guard m > 0, p > 0 else { return }
            var sums = [Double](repeating: 0, count: p)
            for row in 0..<m {
                for column in 0..<p {
                    sums[column] += Double(projected[row, column])
                    projected[row, column] *= scales.pointer[row]
                }
            }
            let rows = rows
            workers.forEach(d, tile: tile) { columns, _ in
                multiply(
                    rows: p, columns: columns.count, inner: m, projected.pointer, stride: p, transposeA: true,
                    rows.pointer + columns.lowerBound, stride: d, into: basis.pointer + columns.lowerBound, stride: d)
            }
            for row in 0..<p {
                for column in 0..<d { basis[row, column] -= Float(sums[row]) * mean.pointer[column] }
            }
        }
    }
}
