import CKernels
import LinearAlgebra
import SparseCoding

extension AutoencoderInput {
    /// NormMSE, explained variance, L0 and the share of samples read from each layer.
    ///
    /// NormMSE is the mean over samples and parts of ‖û − u‖² / ‖u‖²; explained variance is
    /// 1 − Σ‖û − u‖² / Σ‖u − mean u‖².
    ///
    /// - Parameter lossError: of a sample with one part what the loss takes for ‖û − u‖², where that is something else.
    func summarise(
        squaredError: Matrix, _ configuration: DictionaryConfiguration, samples: Int, firing: Int,
        lossError: ((_ sample: Int) -> Float)? = nil, _ workers: Workers
    ) -> ForwardResult {
        var loss = 0.0
        var residual = 0.0
        for place in 0..<samples * configuration.parts {
            let error = Double(squaredError.pointer[place])
            let norm = Double(squaredNorm.pointer[place])
            residual += error
            if norm > 0 { loss += (lossError.map { Double($0(place)) } ?? error) / norm }
            if error.isNaN { loss = .nan }
        }

        let width = configuration.inputWidth
        let sums = Matrix(rows: 2, columns: width)
        workers.forEach(width, tile: TopKTrainer.columnBlock) { columns, _ in
            rsae_column_sums(
                centered.pointer + columns.lowerBound, Int64(samples), Int64(width), Int64(columns.count),
                sums.row(0) + columns.lowerBound, sums.row(1) + columns.lowerBound)
        }

        var variance = 0.0
        for column in 0..<width {
            let sum = Double(sums[0, column])
            variance += Double(sums[1, column]) - sum * sum / Double(samples)
        }
        return ForwardResult(
            loss: Float(loss / Double(samples * configuration.parts)),
            explainedVariance: variance > 0 ? Float(1 - residual / variance) : .nan,
            l0: Float(firing) / Float(samples),
            layerShares: layerShares(layers: configuration.layers.count, samples: samples))
    }

    /// The fraction of samples read from each layer: with a router those for which the layer is the most probable, whether
    /// explored or not.
    func layerShares(layers: Int, samples: Int) -> [Float] {
        var counts = Array(repeating: 0, count: layers)
        for sample in 0..<samples { counts[Int(preferred[sample])] += 1 }
        return counts.map { Float($0) / Float(samples) }
    }
}
