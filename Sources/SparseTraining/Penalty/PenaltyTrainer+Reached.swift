import CKernels
import LinearAlgebra
import SparseCoding

/// A step that follows only the latents within reach, by the kernels that serve k latents.
extension PenaltyTrainer {
    /// Room for this many times the share that decides for such a step; a tile with more makes the step follow all latents.
    private static let spareRoom = 2.0

    /// Follows the latents within reach, if they are few.
    ///
    /// - Parameter first: the products of the first tile, which decide.
    /// - Returns: the latents, with their entries filled in, and the sums by `PenaltySum`; nil if there are too many.
    func followReached(
        _ slope: PenaltySlope, samples: Int, first: Matrix
    ) -> (latents: ReachedLatents, sums: Matrix)? {
        let m = configuration.latents
        let bounds = slope.bounds()
        let scratch = (0..<workers.count).map { _ in ReachScratch(configuration, samples: first.rows) }
        guard
            Double(countReached(slope, bounds, first, scratch)) <= largestShare * Double(first.rows * m)
        else { return nil }

        let latents =
            reached
            ?? ReachedLatents(
                samples: options.batchTokens, configuration, precision: encoder.precision,
                share: Self.spareRoom * largestShare)
        reached = latents
        decoderRows.round(by: workers)
        let isFull = (0..<workers.count).map { _ in Matrix(rows: 1, columns: 1) }
        let sums = sumOverTiles(samples: samples) { range, worker, sums in
            let scratch = scratch[worker]
            let product = range.lowerBound == 0 ? first : scratch.product
            if range.lowerBound > 0 { encoder.encoderProduct(input, range, into: product) }
            for sample in range {
                let hasRoom = follow(
                    sample, product.row(sample - range.lowerBound), slope, bounds, scratch, into: latents, sums: sums,
                    samples: samples)
                guard hasRoom else {
                    isFull[worker].pointer[0] = 1
                    return
                }
            }
        }
        guard isFull.allSatisfy({ $0.pointer[0] == 0 }) else { return nil }

        if let unreached = slope.unreachedSums(bounds: bounds) {
            add(unreached, of: latents, samples: samples, to: sums)
        }
        latents.entries.fill(from: latents.latents, slopes: latents.slopes.pointer, count: samples, by: workers)
        return (latents, sums)
    }

    /// How many latents of a tile's samples are within reach.
    private func countReached(
        _ slope: PenaltySlope, _ bounds: Matrix, _ products: Matrix, _ scratch: [ReachScratch]
    ) -> Int {
        let bias = slope.activation.vectors.bias
        let counts = Matrix(rows: 1, columns: products.rows)
        workers.forEach(products.rows, tile: 16) { rows, worker in
            for row in rows {
                counts.pointer[row] = Float(
                    rsae_above(
                        products.row(row), bias, bounds.pointer, Int64(configuration.latents), scratch[worker].index,
                        scratch[worker].value.pointer))
            }
        }
        return (0..<counts.count).reduce(0) { $0 + Int(counts.pointer[$1]) }
    }

    /// Decodes one sample from its latents within reach, and computes their gradients.
    ///
    /// - Returns: whether there was room.
    private func follow(
        _ sample: Int, _ product: UnsafePointer<Float>, _ slope: PenaltySlope, _ bounds: Matrix,
        _ scratch: ReachScratch, into reached: ReachedLatents, sums: UnsafeMutablePointer<Float>, samples: Int
    ) -> Bool {
        let m = configuration.latents
        let all = slope.activation.vectors
        let pi = scratch.value.pointer
        let count = Int(rsae_above(product, all.bias, bounds.pointer, Int64(m), scratch.index, pi))
        guard count <= reached.latents.room(for: sample) else { return false }

        reached.latents.place(sample, count: count)
        let index = reached.latents.indices(of: sample)
        index.update(from: scratch.index, count: count)
        let z = reached.latents.activations(of: sample)
        let vectors = all.gathered(index, count: count, into: scratch.vectors)
        slope.activation.apply(vectors, to: pi, count: count, into: z)

        let gradient = errorGradient.row(sample)
        decoderRows.error(of: sample, input, index, z, count: count, into: gradient)
        scaleError(gradient, of: sample, squaredError, samples: samples)
        let ownSlopes = reached.slopes(of: sample)
        decoderRows.slopes(index, count: count, gradient, into: ownSlopes)
        if hasGatePass { gatePass(sample, index, count: count, vectors, scratch, samples: samples) }

        let own = scratch.sums
        for kind in 0..<own.rows { own.row(kind).update(repeating: 0, count: count) }
        let parallel = own.row(PenaltySum.parallel.rawValue)
        for entry in 0..<count { parallel[entry] = z[entry] * ownSlopes[entry] }
        for entry in 0..<count { scratch.prices.pointer[entry] = slope.prices.pointer[Int(index[entry])] }
        slope.apply(
            vectors, prices: scratch.prices.pointer, count: count, product: pi, z: z,
            gateSlope: scratch.gateSlope.pointer, slope: ownSlopes, sums: own.pointer, stride: own.columns)
        for kind in 0..<own.rows {
            let (to, from) = (sums + kind * m, own.row(kind))
            for entry in 0..<count { to[Int(index[entry])] += from[entry] }
        }
        return true
    }

    /// A gated dictionary's auxiliary reconstruction of one sample, as the dense `gatePass`.
    private func gatePass(
        _ sample: Int, _ index: UnsafePointer<Int32>, count: Int, _ vectors: ActivationVectors,
        _ scratch: ReachScratch, samples: Int
    ) {
        let (gate, gradient) = (scratch.gate.pointer, scratch.gateGradient.pointer)
        rsae_relu(scratch.value.pointer, vectors.bias, Int64(count), gate)
        decoderRows.error(of: sample, input, index, gate, count: count, into: gradient)
        scaleError(gradient, of: sample, gateError, samples: samples)
        decoderRows.slopes(index, count: count, gradient, into: scratch.gateSlope.pointer)
    }

    /// Adds what samples add to the sums of latents that are not within their reach.
    private func add(_ unreached: Matrix, of latents: ReachedLatents, samples: Int, to sums: Matrix) {
        var counts = Array(repeating: samples, count: configuration.latents)
        for sample in 0..<samples {
            let index = latents.latents.indices(of: sample)
            for entry in 0..<Int(latents.latents.counts[sample]) { counts[Int(index[entry])] -= 1 }
        }
        for kind in 0..<sums.rows {
            for latent in 0..<sums.columns { sums[kind, latent] += Float(counts[latent]) * unreached[kind, latent] }
        }
    }
}

/// Buffers of one worker.
private final class ReachScratch: @unchecked Sendable {
    /// π of a tile `[tile × latents]`.
    let product: Matrix
    /// The latents within reach of one sample, with room for `rsae_above`.
    let index: UnsafeMutablePointer<Int32>
    /// π of these `[latents]`; the same for the others:
    let value: Matrix
    let vectors: Matrix
    let prices: Matrix
    /// Rows by `PenaltySum`.
    let sums: Matrix
    /// Gated: ReLU of the gate, and the gradients of the auxiliary reconstruction.
    let gate: Matrix
    let gateSlope: Matrix
    /// Gated: ∂L/∂û of the auxiliary reconstruction `[D]`.
    let gateGradient: Matrix

    init(_ configuration: DictionaryConfiguration, samples: Int) {
        let m = configuration.latents + 16
        product = Matrix(scratchRows: samples, columns: configuration.latents)
        index = .allocate(capacity: m)
        value = Matrix(scratchRows: 1, columns: m)
        vectors = Matrix(scratchRows: 3, columns: m)
        prices = Matrix(scratchRows: 1, columns: m)
        sums = Matrix(scratchRows: PenaltySum.allCases.count, columns: m)
        gate = Matrix(scratchRows: 1, columns: m)
        gateSlope = Matrix(scratchRows: 1, columns: m)
        gateGradient = Matrix(scratchRows: 1, columns: configuration.inputWidth)
    }

    deinit { index.deallocate() }
}
