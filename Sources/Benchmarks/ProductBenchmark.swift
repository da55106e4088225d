package import LinearAlgebra

/// Measures dense products of some size by every kernel that the processor runs, and by the machine's OpenBLAS.
package struct ProductBenchmark: Sendable {
    /// Rows of A and C: tokens.
    package var rows: Int
    /// Columns of C, rows of the weights B.
    package var columns: Int
    /// Columns of A and B.
    package var inner: Int
    /// How often each is timed; the fastest time counts.
    package var repeats: Int

    /// Describes a product `[rows × inner] · [columns × inner]ᵀ`.
    package init(rows: Int, columns: Int, inner: Int, repeats: Int) {
        self.rows = rows
        self.columns = columns
        self.inner = inner
        self.repeats = repeats
    }

    /// The result of one candidate.
    package struct Result: Sendable {
        /// A `ProductKernel`, or "openblas" with the name of its kernels.
        package let candidate: String
        /// Whether products use it here.
        package let isUsed: Bool
        /// 10⁹ floating-point operations a second.
        package let gigaflops: Double
    }

    /// Times all candidates alternately.
    package func run(workers: Workers) -> [Result] {
        let a = randomMatrix(rows, inner, seed: 1)
        let b = randomMatrix(columns, inner, seed: 2)
        let c = Matrix(rows: rows, columns: columns)
        let kernels = ProductKernel.allCases.filter(\.isAvailable)
        let blas = InstalledBLAS()
        var candidates: [(name: String, isUsed: Bool, multiply: () -> Void)] = kernels.map { kernel in
            (
                kernel.rawValue, kernel == .current,
                {
                    workers.multiply(
                        rows: rows, columns: columns, inner: inner, a.pointer, stride: inner, byTransposeOf: b.pointer,
                        stride: inner, into: c.pointer, stride: columns, with: kernel)
                }
            )
        }
        if let blas {
            candidates.append(
                (
                    "openblas \(blas.core)", false,
                    {
                        blas.multiply(
                            rows: rows, columns: columns, inner: inner, a.pointer, byTransposeOf: b.pointer,
                            into: c.pointer, threads: workers.count)
                    }
                ))
        }

        let clock = ContinuousClock()
        var best = Array(repeating: Double.infinity, count: candidates.count)
        // The first round warms caches and pages up, and does not count.
        for round in 0...repeats {
            for (place, candidate) in candidates.enumerated() {
                let seconds = clock.measure(candidate.multiply) / .seconds(1)
                if round > 0 { best[place] = min(best[place], seconds) }
            }
        }

        let operations = 2e-9 * Double(rows) * Double(columns) * Double(inner)
        return zip(candidates, best).map { Result(candidate: $0.name, isUsed: $0.isUsed, gigaflops: operations / $1) }
    }

    private func randomMatrix(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix {
        var generator = CounterGenerator(seed: seed, stream: "product benchmark")
        let matrix = Matrix(scratchRows: rows, columns: columns)
        for index in 0..<matrix.count { matrix.pointer[index] = generator.uniform() - 0.5 }
        return matrix
    }
}
