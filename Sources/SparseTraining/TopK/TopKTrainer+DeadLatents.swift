import CKernels
import LinearAlgebra
import SparseCoding

/// The AuxK term's value and gradients.
struct AuxiliaryGradient {
    /// The weighted term.
    let loss: Float
    /// For each latent its row in the gradients, or −1.
    let row: [Int32]
    /// ∂/∂W_enc of the dead latents `[dead × d]`.
    let encoder: Matrix
    /// ∂/∂W_decᵀ of the dead latents `[dead × d]`.
    let decoder: Matrix
    /// ∂/∂b_lat of the dead latents `[dead]`.
    let bias: [Float]
}

extension TopKTrainer {
    /// The number of samples of the AuxK estimate: five products of [tokens × dead × d] cost at most
    /// 5/96 of the encode product [count × m × d]. At least 32, since fewer do not estimate the variance of e.
    package static func auxiliaryTokens(count: Int, latents: Int, dead: Int) -> Int {
        min(count, max(32, count * latents / (96 * max(dead, 1))))
    }

    /// The AuxK term and its gradients (formula at `AuxiliaryLoss`); nil if no latent is dead or the errors vary
    /// only by round-off.
    func auxiliaryStep(_ auxiliary: AuxiliaryLoss, dead: [Int], samples count: Int) -> AuxiliaryGradient? {
        guard !dead.isEmpty else { return nil }
        let d = configuration.inputWidth
        let n = dead.count
        let sample = TopKTrainer.auxiliaryTokens(count: count, latents: configuration.latents, dead: n)
        let tokens = (0..<sample).map { $0 * count / sample }
        let k = min(auxiliary.k, n)

        // Gather what the products need: centred inputs, errors e = u − û, and the dead latents' directions.
        let x = Matrix(rows: sample, columns: d)
        let e = Matrix(rows: sample, columns: d)
        workers.forEach(sample, tile: 64) { tile, _ in
            for row in tile { gather(tokens[row], into: x.row(row), error: e.row(row)) }
        }

        let decoder = rows(dead, of: weights.decoder)
        let sums = columnSums(e)
        var total = 0.0
        var variance = 0.0
        for column in 0..<d {
            let sum = Double(sums[0, column])
            total += Double(sums[1, column])
            variance += Double(sums[1, column]) - sum * sum / Double(sample)
        }
        guard sample > 1, variance.isFinite, variance > 1e-5 * total else { return nil }

        let z = auxiliaryLatents(x, dead: dead, k: k)
        // r = ê − e, then ∂L/∂ê = 2 · weight · r.
        let r = Matrix(rows: sample, columns: d)
        workers.forEach(sample, tile: 64) { tile, _ in
            multiply(
                rows: tile.count, columns: d, inner: n, z.row(tile.lowerBound), stride: n, decoder.pointer, stride: d,
                into: r.row(tile.lowerBound), stride: d)
        }

        let scale = min(Double(n) / Double(auxiliary.k), 1) * Double(auxiliary.coefficient)
        let weight = Float(2 * scale / variance)
        let squared = Matrix(rows: 1, columns: sample)
        workers.forEach(sample, tile: 64) { tile, _ in
            for row in tile {
                rsae_add_scaled(r.row(row), -1, e.row(row), Int64(d))
                squared.pointer[row] = rsae_dot(r.row(row), r.row(row), Int64(d))
                for column in 0..<d { r.row(row)[column] *= weight }
            }
        }

        var squares = 0.0
        for row in 0..<sample { squares += Double(squared.pointer[row]) }

        // Backward through the decoder to ẑ, and to the rows of both matrices.
        let dz = Matrix(scratchRows: sample, columns: n)
        workers.multiply(
            rows: sample, columns: n, inner: d, r.pointer, stride: d, byTransposeOf: decoder.pointer, stride: d,
            into: dz.pointer, stride: n)
        workers.forEach(sample, tile: 64) { tile, _ in
            for index in tile.lowerBound * n..<tile.upperBound * n where z.pointer[index] == 0 { dz.pointer[index] = 0 }
        }

        let bias = columnSums(dz)
        let result = AuxiliaryGradient(
            loss: Float(scale * squares / variance),
            row: rowOfLatent(dead),
            encoder: transposedProduct(dz, x),
            decoder: transposedProduct(z, r),
            bias: (0..<n).map { bias.pointer[$0] })
        return result
    }

    /// ẑ: the k_aux largest pre-activations among the dead, as a dense matrix with zeros elsewhere `[samples × dead]`.
    private func auxiliaryLatents(_ x: Matrix, dead: [Int], k: Int) -> Matrix {
        let (d, n) = (x.columns, dead.count)
        let encoder = rows(dead, of: weights.encoder)
        let bias = Matrix(rows: 1, columns: n)
        for (row, latent) in dead.enumerated() { bias.pointer[row] = weights.latentBias.pointer[latent] }
        let z = Matrix(rows: x.rows, columns: n)
        workers.multiply(
            rows: x.rows, columns: n, inner: d, x.pointer, stride: d, byTransposeOf: encoder.pointer, stride: d,
            into: z.pointer, stride: n)
        keepLargest(k, of: z, bias: bias)
        return z
    }

    /// One sample's input and its error e = u − û.
    private func gather(_ sample: Int, into x: UnsafeMutablePointer<Float>, error e: UnsafeMutablePointer<Float>) {
        x.update(from: input.centered.row(sample), count: width)
        let part = width / parts
        for place in 0..<parts {
            let factor = errorFactor[sample, place]
            guard factor > 0 else { continue }
            rsae_add_scaled(
                e + place * part, -1 / factor, errorGradients[prefixes.count - 1].row(sample) + place * part,
                Int64(part))
        }
    }

    /// Sums and sums of squares of every column `[2 × columns]`.
    private func columnSums(_ matrix: Matrix) -> Matrix {
        let sums = Matrix(rows: 2, columns: matrix.columns)
        workers.forEach(matrix.columns, tile: TopKTrainer.columnBlock) { columns, _ in
            rsae_column_sums(
                matrix.pointer + columns.lowerBound, Int64(matrix.rows), Int64(matrix.columns), Int64(columns.count),
                sums.row(0) + columns.lowerBound, sums.row(1) + columns.lowerBound)
        }
        return sums
    }

    /// Some rows of a matrix, one after another.
    private func rows(_ indices: [Int], of matrix: Matrix) -> Matrix {
        let result = Matrix(scratchRows: indices.count, columns: matrix.columns)
        workers.forEach(indices.count, tile: 64) { tile, _ in
            for row in tile { result.row(row).update(from: matrix.row(indices[row]), count: matrix.columns) }
        }
        return result
    }

    /// Keeps in each row the k largest of value + bias, sets the rest to zero, and negative ones in the corrected mode.
    private func keepLargest(_ k: Int, of z: Matrix, bias: Matrix) {
        let n = z.columns
        let scratch = (0..<workers.count).map { _ in Matrix(rows: 3, columns: n + 16) }
        let kept = (0..<workers.count).map { _ in SparseLatents(capacity: 1, width: k) }
        workers.forEach(z.rows, tile: 16) { rows, worker in
            let latents = kept[worker]
            for row in rows {
                _ = rsae_top_k(
                    z.row(row), bias.pointer, Int64(n), Int64(k), -.infinity, latents.indices(of: 0),
                    latents.activations(of: 0), scratch[worker].pointer)
                z.row(row).update(repeating: 0, count: n)
                for slot in 0..<k {
                    let activation = latents.activations(of: 0)[slot]
                    if activation > 0 || !configuration.rectified {
                        z.row(row)[Int(latents.indices(of: 0)[slot])] = activation
                    }
                }
            }
        }
    }

    /// Aᵀ · B `[A.columns × B.columns]`, cut into tiles of A's columns.
    private func transposedProduct(_ a: Matrix, _ b: Matrix) -> Matrix {
        let result = Matrix(rows: a.columns, columns: b.columns)
        workers.forEach(a.columns, tile: 128) { columns, _ in
            multiply(
                rows: columns.count, columns: b.columns, inner: a.rows,
                a.pointer + columns.lowerBound, stride: a.columns, transposeA: true,
                b.pointer, stride: b.columns, into: result.row(columns.lowerBound), stride: b.columns)
        }
        return result
    }

    private func rowOfLatent(_ dead: [Int]) -> [Int32] {
        var row = Array(repeating: Int32(-1), count: configuration.latents)
        for (index, latent) in dead.enumerated() { row[latent] = Int32(truncatingIfNeeded: index) }
        return row
    }
}
