package import LinearAlgebra

/// Measures dense products of some size by every kernel that the processor runs, and by the machine's OpenBLAS and
/// oneDNN.
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
        /// What the product takes. Our own rounds A to bf16 on the way, others find it rounded.
        package let precision: Precision
        /// A kernel, with "packed" where the weights were laid out before, for few rows in wide panels; or a library, with
        /// the name of its kernels.
        package let candidate: String
        /// Whether products use it here.
        package let isUsed: Bool
        /// 10⁹ floating-point operations a second.
        package let gigaflops: Double
    }

    /// What is timed.
    private struct Candidate {
        let precision: Precision
        let name: String
        let isUsed: Bool
        let multiply: () -> Void
    }

    /// Arrays that all candidates share.
    private struct Operands {
        let a: Matrix
        let b: Matrix
        let c: Matrix
        let halfA: BF16Matrix
        let halfB: BF16Matrix
    }

    /// Multiplications beyond which the kernels for any processor are not timed: they are slow, and nobody has to know
    /// by how much. Of bf16 they take one at a time.
    private static let patience: (f32: Int, bf16: Int) = (1 << 30, 1 << 22)

    /// Times all candidates alternately.
    package func run(workers: Workers) -> [Result] {
        let a = randomMatrix(rows, inner, seed: 1)
        let b = randomMatrix(columns, inner, seed: 2)
        let operands = Operands(
            a: a, b: b, c: Matrix(rows: rows, columns: columns),
            halfA: BF16Matrix(rounding: a.pointer, rows: rows, columns: inner),
            halfB: BF16Matrix(rounding: b.pointer, rows: columns, columns: inner))
        let candidates =
            candidatesOfF32(operands, workers) + candidatesOfBF16(operands, workers)
            + candidatesOfLibraries(operands, workers)
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
        return zip(candidates, best).map {
            Result(precision: $0.precision, candidate: $0.name, isUsed: $0.isUsed, gigaflops: operations / $1)
        }
    }

    private func candidatesOfF32(_ operands: Operands, _ workers: Workers) -> [Candidate] {
        let (a, b, c) = (operands.a, operands.b, operands.c)
        let packed = PackedMatrix(
            b.pointer, rows: columns, columns: inner, halved: false, wide: rows <= 8, workers: workers)
        let kernels = ProductKernel.allCases.filter {
            $0.isAvailable && ($0 != .baseline || rows * columns * inner <= Self.patience.f32)
        }
        return kernels.flatMap { kernel in
            [
                Candidate(precision: .f32, name: kernel.rawValue, isUsed: kernel == .current) {
                    workers.multiply(
                        rows: rows, columns: columns, inner: inner, a.pointer, stride: inner, byTransposeOf: b.pointer,
                        stride: inner, into: c.pointer, stride: columns, with: kernel)
                },
                Candidate(precision: .f32, name: kernel.rawValue + " packed", isUsed: kernel == .current) {
                    workers.multiply(
                        rows: rows, a.pointer, stride: inner, byTransposeOf: packed, into: c.pointer, stride: columns,
                        with: kernel)
                },
            ]
        }
    }

    private func candidatesOfBF16(_ operands: Operands, _ workers: Workers) -> [Candidate] {
        let (a, b, c) = (operands.a, operands.halfB, operands.c)
        let packed = PackedMatrix(
            operands.b.pointer, rows: columns, columns: inner, halved: true, wide: rows <= 8, workers: workers)
        let kernels = BF16Kernel.allCases.filter {
            $0.isAvailable && ($0 != .baseline || rows * columns * inner <= Self.patience.bf16)
        }
        return kernels.flatMap { kernel in
            [
                Candidate(precision: .bf16, name: kernel.rawValue, isUsed: kernel == .current) {
                    workers.multiply(
                        rows: rows, a.pointer, stride: inner, byTransposeOf: b, into: c.pointer, stride: columns,
                        with: kernel)
                },
                Candidate(precision: .bf16, name: kernel.rawValue + " packed", isUsed: kernel == .current) {
                    workers.multiplyBF16(
                        rows: rows, a.pointer, stride: inner, byTransposeOf: packed, into: c.pointer, stride: columns,
                        with: kernel)
                },
            ]
        }
    }

    private func candidatesOfLibraries(_ operands: Operands, _ workers: Workers) -> [Candidate] {
        let (a, b, c) = (operands.a, operands.b, operands.c)
        var candidates: [Candidate] = []
        if let blas = InstalledBLAS() {
            candidates.append(
                Candidate(precision: .f32, name: "openblas \(blas.core)", isUsed: false) {
                    blas.multiply(
                        rows: rows, columns: columns, inner: inner, a.pointer, byTransposeOf: b.pointer,
                        into: c.pointer, threads: workers.count)
                })
            if blas.multipliesBF16 {
                candidates.append(
                    Candidate(precision: .bf16, name: "openblas \(blas.core)", isUsed: false) {
                        blas.multiplyBF16(
                            rows: rows, columns: columns, inner: inner,
                            operands.halfA.bytes,
                            byTransposeOf: operands.halfB.bytes,
                            into: c.pointer, threads: workers.count)
                    })
            }
        }
        for precision in Precision.allCases {
            let (a, b) =
                precision == .f32
                ? (UnsafeRawPointer(a.pointer), UnsafeRawPointer(b.pointer))
                : (operands.halfA.bytes, operands.halfB.bytes)
            guard
                let product = InstalledOneDNN(
                    rows: rows, columns: columns, inner: inner, precision, a, byTransposeOf: b, into: c.pointer)
            else { continue }
            candidates.append(
                Candidate(precision: precision, name: "onednn packed", isUsed: false) {
                    product.multiply(threads: workers.count)
                    withExtendedLifetime(operands) {}
                })
        }
        return candidates
    }

    private func randomMatrix(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix {
        var generator = CounterGenerator(seed: seed, stream: "product benchmark")
        let matrix = Matrix(scratchRows: rows, columns: columns)
        for index in 0..<matrix.count { matrix.pointer[index] = generator.uniform() - 0.5 }
        return matrix
    }
}
