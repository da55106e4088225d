import CKernels
import LinearAlgebra
import SparseCoding

extension AutoencoderInput {
    /// Moves b_pre to the centre of the inputs: their mean or their geometric median.
    func moveBias(
        _ start: InitialBias, of weights: DictionaryWeights, _ configuration: DictionaryConfiguration, samples: Int,
        _ workers: Workers
    ) {
        let width = configuration.inputWidth
        let mean = Matrix(rows: 2, columns: width)
        rsae_column_sums(
            centered.pointer, Int64(samples), Int64(width), Int64(width), mean.row(0), mean.row(1))
        for column in 0..<width { mean[0, column] /= Float(samples) }
        let centre = start == .geometricMedian ? geometricMedian(from: mean.row(0), samples: samples, workers) : mean
        for column in 0..<width {
            if configuration.subtractsPreBias {
                weights.preBias.pointer[column] += centre[0, column]
            } else {
                weights.preBias.pointer[column] = centre[0, column]
            }
        }
    }

    /// The point with the least sum of distances to the inputs, by Weiszfeld's iteration (1937; Vardi & Zhang 2000 for
    /// inputs that coincide with it): y ← Σ x/‖x − y‖ / Σ 1/‖x − y‖.
    ///
    /// - Parameter start: a first guess `[D]`.
    private func geometricMedian(from start: UnsafePointer<Float>, samples: Int, _ workers: Workers) -> Matrix {
        let width = centered.columns
        let y = Matrix(rows: 1, columns: width)
        y.pointer.update(from: start, count: width)
        let next = Matrix(rows: 1, columns: width)
        let weight = Matrix(rows: 1, columns: samples)
        let scratch = (0..<workers.count).map { _ in Matrix(rows: 1, columns: width) }
        for _ in 0..<100 {
            workers.forEach(samples, tile: 64) { tile, worker in
                for sample in tile {
                    let difference = scratch[worker].pointer
                    difference.update(from: centered.row(sample), count: width)
                    rsae_add_scaled(difference, -1, y.pointer, Int64(width))
                    let distance = rsae_dot(difference, difference, Int64(width)).squareRoot()
                    weight.pointer[sample] = 1 / max(distance, 1e-6)
                }
            }

            var total = 0.0
            for sample in 0..<samples { total += Double(weight.pointer[sample]) }
            workers.forEach(width, tile: TopKTrainer.columnBlock) { columns, _ in
                multiply(
                    rows: 1, columns: columns.count, inner: samples, alpha: Float(1 / total), weight.pointer,
                    stride: samples, centered.pointer + columns.lowerBound, stride: width,
                    into: next.pointer + columns.lowerBound, stride: width)
            }
            rsae_add_scaled(y.pointer, -1, next.pointer, Int64(width))
            let moved = rsae_dot(y.pointer, y.pointer, Int64(width))
            y.update(from: next)
            if moved <= 1e-10 * rsae_dot(y.pointer, y.pointer, Int64(width)) { break }
        }
        return y
    }
}
