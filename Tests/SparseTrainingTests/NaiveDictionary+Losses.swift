import Foundation
import SparseCoding
import Vocabulary

extension NaiveDictionary {
    /// The losses with the choices held fixed.
    ///
    /// - Parameter detached: the weights that a gated dictionary's auxiliary reconstruction decodes with.
    func losses(_ samples: [[Double]], _ held: [Held], detached: NaiveDictionary) -> Losses {
        var result = Losses()
        let count = Double(samples.count)
        let (encoder, decoder) = (parameters["encoder"]!, parameters["decoder"]!)
        let norms = decoderNorms(decoder)
        let mean = (0..<width).map { column in held.reduce(0) { $0 + $1.error[column] } / count }
        var (unexplained, variance) = (0.0, 0.0)
        for (u, held) in zip(samples, held) {
            let x = centered(u)
            let z = held.active.map { (latent: $0, size: size($0, product(encoder, $0, x))) }
            result.main += relativeError(decoded(z, decoder, parameters["pre_bias"]), u) / count
            let activations = z.reduce(0) { $0 + $1.size }
            switch (configuration.architecture, configuration.fidelity) {
            case _ where configuration.k != nil: break
            case (.jumprelu, _): result.sparsity += lambda * Double(held.active.count) / count
            case (_, .reference): result.sparsity += lambda * activations / Double(m) / count
            case (.gated, .corrected):
                let gates = held.open.map {
                    (latent: $0, size: product(encoder, $0, x) + parameters["gate_bias"]![$0])
                }

                let reconstruction = decoded(gates, detached.parameters["decoder"]!, detached.parameters["pre_bias"])
                result.sparsity += relativeError(reconstruction, u) / count
                result.sparsity += lambda * gates.reduce(0) { $0 + $1.size } / Double(d - 1) / count
            default:
                let price = lambda / Double(parts * (d - 1)) / count
                result.sparsity += price * z.reduce(0) { $0 + $1.size * norms[$1.latent] }
            }
            guard auxiliary != nil else { continue }
            let revived = decoded(held.revived.map { ($0, size($0, product(encoder, $0, x))) }, decoder, nil)
            for column in 0..<width {
                let e = held.error[column]
                unexplained += (revived[column] - e) * (revived[column] - e)
                variance += (e - mean[column]) * (e - mean[column])
            }
        }
        if let auxiliary, !dead.isEmpty {
            let share = min(Double(dead.count) / Double(auxiliary.k), 1)
            result.auxiliary = auxiliary.coefficient * share * unexplained / variance
        }
        return result
    }

    /// The losses with nothing held against the present weights.
    func losses(_ batch: ActivationBatch) -> Losses {
        let samples = samples(batch)
        return losses(samples, hold(samples), detached: self)
    }

    /// Σ over the parts of ‖w_j‖, for every latent.
    private func decoderNorms(_ decoder: [Double]) -> [Double] {
        (0..<m).map { latent in
            (0..<parts).reduce(0.0) { sum, part in
                let start = latent * width + part * d
                return sum + (start..<start + d).reduce(0.0) { $0 + decoder[$1] * decoder[$1] }.squareRoot()
            }
        }
    }

    /// ∂loss/∂parameter of some entries of one tensor by central differences.
    ///
    /// The step is the cube root of fp64's round-off: the differences are good to about 1e-10 of the loss.
    func gradient(of name: String, entries: [Int], _ samples: [[Double]], _ held: [Held]) -> [Float] {
        var moved = self
        let step = 1e-5
        return entries.map { index in
            let value = parameters[name]![index]
            moved.parameters[name]![index] = value + step
            let above = moved.losses(samples, held, detached: self).total
            moved.parameters[name]![index] = value - step
            let below = moved.losses(samples, held, detached: self).total
            moved.parameters[name]![index] = value
            return Float((above - below) / (2 * step))
        }
    }

    /// The straight-through gradient of a JumpReLU's stored thresholds (arXiv 2407.14435, eq. 11 and 12, with a
    /// rectangle for the kernel), entry by entry: ∂z/∂θ = −θ/ε and ∂H/∂θ = −1/ε within ε/2 of the threshold. The
    /// reference measures its H at z instead of a, and stores θ instead of log θ.
    func thresholdGradient(_ samples: [[Double]], bandwidth: Double) -> [Float] {
        let (encoder, decoder) = (parameters["encoder"]!, parameters["decoder"]!)
        var result = Array(repeating: 0.0, count: m)
        for (u, held) in zip(samples, hold(samples)) {
            let x = centered(u)
            let square = u.reduce(0) { $0 + $1 * $1 } * Double(samples.count)
            for (latent, theta) in thresholds.enumerated() {
                let a = size(latent, product(encoder, latent, x))
                var slope = 0.0
                for column in 0..<d { slope -= 2 * held.error[column] / square * decoder[latent * d + column] }
                let counted = isCorrected || a > theta ? a : 0
                var toward = 0.0
                if abs(a - theta) < bandwidth / 2 { toward -= theta / bandwidth * slope }
                if abs(counted - theta) < bandwidth / 2 { toward -= lambda / Double(samples.count) / bandwidth }
                result[latent] += isCorrected ? toward * theta : toward
            }
        }
        return result.map { Float($0) }
    }
}
