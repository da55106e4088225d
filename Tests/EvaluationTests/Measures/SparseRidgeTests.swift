import Evaluation
import LinearAlgebra
import Testing

@Suite struct SparseRidgeTests {
    private static let (tokens, latents, targets) = (300, 40, 150)
    private let planted = PlantedLatents(tokens: Self.tokens, latents: Self.latents, active: 4, seed: 1)
    private let y: Matrix

    init() {
        var generator = CounterGenerator(seed: 2, stream: "targets")
        y = Matrix(
            rows: Self.tokens, columns: Self.targets,
            elements: (0..<Self.tokens * Self.targets).map { _ in 2 * generator.uniform() - 0.7 })
    }

    private func weights(threads: Int, cuts: [Int], penalty: Double) -> [Float] {
        let ridge = SparseRidge(latents: Self.latents, targets: Self.targets, workers: Workers(threads: threads))
        for (first, last) in zip([0] + cuts, cuts + [Self.tokens]) {
            let part = Matrix(rows: last - first, columns: Self.targets)
            for row in first..<last { part.row(row - first).update(from: y.row(row), count: Self.targets) }
            ridge.add(first..<last, of: planted.rows, targets: part)
        }
        ridge.solve(0..<Self.tokens, of: planted.rows, penalty: penalty)
        return ridge.weights.elements
    }

    /// The normal equations, dense, by elimination.
    private func solved(penalty: Double) -> [[Double]] {
        let n = Self.latents + 1
        let z = planted.dense.map { $0.map { Double($0) } + [1] }
        var system = (0..<n).map { row in
            (0..<n).map { column in z.reduce(0) { $0 + $1[row] * $1[column] } }
                + (0..<Self.targets).map { target in
                    z.enumerated().reduce(0) { $0 + $1.element[row] * Double(y[$1.offset, target]) }
                }
        }
        for row in 0..<Self.latents {
            let fired = z.filter { $0[row] != 0 }
            if !fired.isEmpty { system[row][row] += penalty * system[row][row] / Double(fired.count) }
            if fired.isEmpty { system[row][row] = 1 }
        }
        for pivot in 0..<n {
            for row in 0..<n where row != pivot {
                let factor = system[row][pivot] / system[pivot][pivot]
                for column in pivot..<n + Self.targets { system[row][column] -= factor * system[pivot][column] }
            }
        }
        return (0..<n).map { row in (0..<Self.targets).map { system[row][n + $0] / system[row][row] } }
    }

    /// What the regression minimises, term by term.
    private func objective(_ weights: [[Double]], _ penalty: Double) -> Double {
        var sum = 0.0
        for latent in 0..<Self.latents {
            let fired = planted.dense.map { Double($0[latent]) }.filter { $0 != 0 }
            let scale = fired.reduce(0) { $0 + $1 * $1 } / Double(max(fired.count, 1))
            sum += penalty * scale * weights[latent].reduce(0) { $0 + $1 * $1 }
        }
        for (token, row) in planted.dense.enumerated() {
            for target in 0..<Self.targets {
                var predicted = weights[Self.latents][target]
                for latent in 0..<Self.latents { predicted += Double(row[latent]) * weights[latent][target] }
                let error = Double(y[token, target]) - predicted
                sum += error * error
            }
        }
        return sum
    }

    @Test("The weights are those of the dense normal equations", arguments: [0.5, 10])
    func solvesTheNormalEquations(_ penalty: Double) {
        let (found, wanted) = (weights(threads: 2, cuts: [100], penalty: penalty), solved(penalty: penalty))
        for row in 0...Self.latents {
            for target in 0..<Self.targets {
                #expect(abs(Double(found[row * Self.targets + target]) - wanted[row][target]) < 1e-2)
            }
        }
        let reached = (0...Self.latents).map { row in
            (0..<Self.targets).map { Double(found[row * Self.targets + $0]) }
        }
        #expect(objective(reached, penalty) <= objective(wanted, penalty) * (1 + 1e-5))
        #expect(wanted.contains { $0.contains { abs($0) > 0.05 } })
    }

    @Test("Neither threads nor batches change a bit") func threadsAndBatchesChangeNoBit() {
        let whole = weights(threads: 1, cuts: [], penalty: 3)
        #expect(weights(threads: 3, cuts: [], penalty: 3) == whole)
        #expect(weights(threads: 2, cuts: [1, 17, 250], penalty: 3) == whole)
    }
}
