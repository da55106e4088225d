import CKernels
package import LinearAlgebra

/// Ridge regression of dense targets on sparse latents, with an intercept: the W and b that minimise
/// Σ_t ‖y_t − b − Σ_j z_tj W_j‖² + Σ_j λ_j ‖W_j‖².
///
/// λ_j = `penalty` times the mean of z_j² where latent j fires: as though every latent had fired `penalty` times more,
/// without any effect. So the penalty is the same whatever the latents' scales, and a latent that fired once moves
/// nothing much. A latent that never fired has no effect.
///
/// Z is `[tokens × m]` with a few entries a row, so the normal equations are solved by conjugate gradients (Hestenes and
/// Stiefel 1952) with the diagonal as preconditioner, without any m × m matrix: a step costs 4 operations for each
/// firing and target. Every target is a system of its own with its own steps, stopped by itself; so its bits depend on
/// neither the other targets nor the number of threads.
///
/// Memory, in 32-bit numbers: (m + 1) · targets, and 4 · (m + 1) · 128 for each worker.
package struct SparseRidge {
    /// Weights `[m + 1 × targets]`, the intercepts in the last row; Σ z y until it is solved, Σ y in the last row.
    package let weights: Matrix
    /// The number of latents, m.
    private let latents: Int
    private let workers: Workers

    /// Targets that are solved side by side.
    private static let block = 128
    /// A target is solved once the residual, in the preconditioner's norm, is below this share of the first: what is
    /// explained is then within about its square, a millionth.
    private static let tolerance = 1e-3
    /// Steps at most.
    private static let mostSteps = 500

    /// Starts without tokens.
    package init(latents: Int, targets: Int, workers: Workers) {
        self.latents = latents
        self.workers = workers
        weights = Matrix(rows: latents + 1, columns: targets)
    }

    /// Adds tokens to Σ z y.
    ///
    /// - Parameters:
    ///   - tokens: their rows in `rows`.
    ///   - targets: y of these tokens `[tokens × targets]`.
    package func add(_ tokens: Range<Int>, of rows: LatentRows, targets: Matrix) {
        rows.withRows { rows in
            workers.forEach(weights.columns, tile: Self.block) { columns, _ in
                let width = Int64(columns.count)
                for token in tokens {
                    let y = targets.row(token - tokens.lowerBound) + columns.lowerBound
                    for entry in rows[token] {
                        let target = weights.row(Int(rows.indices[entry])) + columns.lowerBound
                        rsae_add_scaled(target, rows.activations[entry], y, width)
                    }
                    rsae_add_scaled(weights.row(latents) + columns.lowerBound, 1, y, width)
                }
            }
        }
    }

    /// Solves for the weights.
    ///
    /// - Parameters:
    ///   - tokens: all that were added.
    ///   - penalty: firings without effect that each latent is given.
    package func solve(_ tokens: Range<Int>, of rows: LatentRows, penalty: Double) {
        let scales = Scales(tokens, of: rows, penalty: penalty)
        rows.withRows { rows in
            workers.forEach(weights.columns, tile: Self.block) { columns, _ in
                Block(self, columns, tokens, rows, scales).solve()
            }
        }
    }

    /// The prediction for a token `[targets]`.
    func predict(_ row: Range<Int>, of rows: LatentRows.Rows, into target: UnsafeMutablePointer<Float>) {
        rows.gather(row, of: weights, into: target)
        rsae_add_scaled(target, 1, weights.row(latents), Int64(weights.columns))
    }

    /// What the normal equations need of each latent alone.
    private struct Scales {
        /// λ_j `[m + 1]`, 0 for the intercept.
        var penalties: [Float]
        /// 1 / (Σ z_j² + λ_j) `[m + 1]`; 0 for a latent that never fires.
        var inverses: [Float]
        /// Σ z_j `[m]`.
        var sums: [Float]

        init(_ tokens: Range<Int>, of rows: LatentRows, penalty: Double) {
            let m = rows.latents
            var (counts, squares, sums) = (
                Array(repeating: 0.0, count: m), Array(repeating: 0.0, count: m), Array(repeating: 0.0, count: m)
            )
            for entry in rows.offsets[tokens.lowerBound]..<rows.offsets[tokens.upperBound] {
                let (latent, z) = (Int(rows.indices[entry]), Double(rows.activations[entry]))
                counts[latent] += 1
                squares[latent] += z * z
                sums[latent] += z
            }
            let own = (0..<m).map { counts[$0] > 0 ? penalty * squares[$0] / counts[$0] : 0 }
            penalties = own.map { Float($0) } + [0]
            inverses =
                (0..<m).map { squares[$0] > 0 ? Float(1 / (squares[$0] + own[$0])) : 0 } + [1 / Float(tokens.count)]
            self.sums = sums.map { Float($0) }
        }
    }

    /// Some neighbouring targets.
    private struct Block {
        let ridge: SparseRidge
        let columns: Range<Int>
        let tokens: Range<Int>
        let rows: LatentRows.Rows
        let scales: Scales
        /// Solutions, residuals, directions and their products `[m + 1 × columns]`.
        let (x, r, p, q): (Matrix, Matrix, Matrix, Matrix)

        init(
            _ ridge: SparseRidge, _ columns: Range<Int>, _ tokens: Range<Int>, _ rows: LatentRows.Rows,
            _ scales: Scales
        ) {
            (self.ridge, self.columns, self.tokens, self.rows, self.scales) = (ridge, columns, tokens, rows, scales)
            func matrix() -> Matrix { Matrix(rows: ridge.latents + 1, columns: columns.count) }
            (x, r, p, q) = (matrix(), matrix(), matrix(), matrix())
        }

        private var width: Int { columns.count }

        func solve() {
            start()
            var products = weightedSquares(of: r)
            let goals = products.map { $0 * SparseRidge.tolerance * SparseRidge.tolerance }
            let factors = Matrix(rows: 1, columns: width)
            direct(along: factors)
            for _ in 0..<SparseRidge.mostSteps {
                let isOpen = zip(products, goals).map { $0 > $1 }
                guard isOpen.contains(true) else { break }
                multiply()
                let curvatures = dots(p, q)
                for column in 0..<width {
                    let isMoving = isOpen[column] && curvatures[column] > 0
                    factors.pointer[column] = isMoving ? Float(products[column] / curvatures[column]) : 0
                }
                step(factors)
                let next = weightedSquares(of: r)
                for column in 0..<width {
                    let isMoving = isOpen[column] && products[column] > 0
                    factors.pointer[column] = isMoving ? Float(next[column] / products[column]) : 0
                    if isOpen[column] { products[column] = next[column] }
                }
                direct(along: factors)
            }
            for row in 0..<x.rows {
                (ridge.weights.row(row) + columns.lowerBound).update(from: x.row(row), count: width)
            }
        }

        /// x += steps · p, r −= steps · q.
        private func step(_ steps: Matrix) {
            let steps = steps.pointer
            for row in 0..<x.rows {
                let (x, r, p, q) = (x.row(row), r.row(row), p.row(row), q.row(row))
                for column in 0..<width {
                    x[column] += steps[column] * p[column]
                    r[column] -= steps[column] * q[column]
                }
            }
        }

        /// Begins with the means as intercepts and no weights.
        private func start() {
            let last = x.rows - 1
            let mean = x.row(last)
            for column in 0..<width {
                mean[column] = ridge.weights.row(last)[columns.lowerBound + column] / Float(tokens.count)
            }
            for row in 0..<last {
                r.row(row).update(from: ridge.weights.row(row) + columns.lowerBound, count: width)
                rsae_add_scaled(r.row(row), -scales.sums[row], mean, Int64(width))
            }
        }

        /// The next directions: M⁻¹ r + factor · p.
        private func direct(along factors: Matrix) {
            let factors = factors.pointer
            for row in 0..<p.rows {
                let (r, p, inverse) = (r.row(row), p.row(row), scales.inverses[row])
                for column in 0..<width { p[column] = inverse * r[column] + factors[column] * p[column] }
            }
        }

        /// q = (ZᵀZ + Λ) p.
        private func multiply() {
            let last = q.rows - 1
            q.fill(0)
            let sum = Matrix(rows: 1, columns: width)
            for token in tokens {
                let row = rows[token]
                rows.gather(row, of: p, into: sum.pointer)
                rsae_add_scaled(sum.pointer, 1, p.row(last), Int64(width))
                for entry in row {
                    rsae_add_scaled(
                        q.row(Int(rows.indices[entry])), rows.activations[entry], sum.pointer, Int64(width))
                }
                rsae_add_scaled(q.row(last), 1, sum.pointer, Int64(width))
            }
            for row in 0..<last { rsae_add_scaled(q.row(row), scales.penalties[row], p.row(row), Int64(width)) }
        }

        /// Σ_j a_j b_j of each column.
        private func dots(_ a: Matrix, _ b: Matrix) -> [Double] {
            sums { row, sums in
                let (a, b) = (a.row(row), b.row(row))
                for column in 0..<width { sums[column] += Double(a[column]) * Double(b[column]) }
            }
        }

        /// Σ_j r_j² / M_j of each column.
        private func weightedSquares(of r: Matrix) -> [Double] {
            sums { row, sums in
                let (r, inverse) = (r.row(row), Double(scales.inverses[row]))
                for column in 0..<width { sums[column] += inverse * Double(r[column]) * Double(r[column]) }
            }
        }

        private func sums(_ add: (_ row: Int, _ sums: UnsafeMutablePointer<Double>) -> Void) -> [Double] {
            Array(unsafeUninitializedCapacity: width) { sums, count in
                sums.initialize(repeating: 0)
                count = width
                guard let base = sums.baseAddress else { return }
                for row in 0..<x.rows { add(row, base) }
            }
        }
    }
}
