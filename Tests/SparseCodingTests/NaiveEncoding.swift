import Foundation
import LinearAlgebra
import SparseCoding
import Vocabulary

/// Routing and encoding of one token in double precision, by plain loops from the paper's formulas.
struct NaiveEncoding {
    var means: [Double] = []
    var deviations: [Double] = []
    var summary: [Double]
    var probabilities: [Double]
    var selected: Int
    var scale: Double
    var u: [Double]
    var centered: [Double]
    /// Active latents, ascending, with their activations.
    var active: [(latent: Int, activation: Double)]

    /// - Parameter activations: the token's residual streams at the configuration's layers `[layers][d]`.
    init(_ configuration: DictionaryConfiguration, _ weights: DictionaryWeights, _ activations: [[Float]]) {
        let d = configuration.dModel
        var x: [[Double]] = []
        for layer in activations {
            let h = layer.map { Double($0) }
            let mean = h.reduce(0, +) / Double(d)
            let deviation = (h.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(d - 1)).squareRoot()
            means.append(mean)
            deviations.append(deviation)
            x.append(h.map { ($0 - mean) / (deviation + 1e-6) })
        }

        var r = (0..<d).map { column in x.reduce(0) { $0 + $1[column] } }
        if configuration.aggregation == .mean { r = r.map { $0 / Double(x.count) } }
        summary = r
        let logits = x.indices.map { layer in
            configuration.routes ? (0..<d).reduce(0.0) { $0 + Double(weights.router[layer, $1]) * r[$1] } : 0
        }

        let exponentials = logits.map { exp($0 - logits.max()!) }
        let p = exponentials.map { $0 / exponentials.reduce(0, +) }
        probabilities = p
        let best = p.indices.max { (p[$0], -$0) < (p[$1], -$1) }!
        selected = best
        switch (configuration.routing, configuration.fidelity) {
        case (.hard, .reference):
            scale = p[best]
            u = x[best].map { $0 * p[best] }
        case (.hard, .corrected):
            scale = 1
            u = x[best]
        case (.soft, _):
            scale = 1
            u = (0..<d).map { column in x.indices.reduce(0) { $0 + p[$1] * x[$1][column] } }
        }

        let centered = u.enumerated().map { $0.element - Double(weights.preBias[0, $0.offset]) }
        self.centered = centered
        let a = (0..<configuration.latents).map { latent in
            (0..<d).reduce(Double(weights.latentBias[0, latent])) {
                $0 + Double(weights.encoder[latent, $1]) * centered[$1]
            }
        }
        active = a.indices.sorted { (a[$0], -$0) > (a[$1], -$1) }.prefix(configuration.k!).sorted().map {
            ($0, configuration.fidelity == .corrected ? max(a[$0], 0) : a[$0])
        }
    }
}
