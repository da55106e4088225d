import Foundation
import LinearAlgebra
import SparseCoding
import Vocabulary

/// Input and latents of one sample in double precision, by plain loops, for every dictionary without a router.
struct NaiveDictionaryEncoding {
    /// The layer read, as an index into the configuration's; 0 for a crosscoder.
    var layer: Int
    /// The input u `[D]`.
    var u: [Double]
    /// What the encoder sees of it: less b_pre for most.
    var seen: [Double] = []
    /// Latents that are kept or fire, ascending, with their activations.
    var active: [(latent: Int, activation: Double)] = []
    /// Distance of the nearest choice from flipping.
    var margin = Double.infinity
    /// û.
    var reconstruction: [Double] = []

    /// The samples of one token of a batch.
    static func samples(
        _ configuration: DictionaryConfiguration, _ weights: DictionaryWeights, _ batch: ActivationBatch, token: Int
    ) -> [NaiveDictionaryEncoding] {
        let d = configuration.dModel
        let x = configuration.layers.map { layer -> [Double] in
            let start = batch.layers.firstIndex(of: layer)! * d
            let h = (0..<d).map { Double(batch.values[token, start + $0]) }
            switch configuration.input {
            case .none: return h
            case .scale(let factor): return h.map { $0 * factor }
            case .unitNorm:
                let norm = h.reduce(0) { $0 + $1 * $1 }.squareRoot()
                return h.map { norm > 0 ? $0 * Double(d).squareRoot() / norm : 0 }
            case .layerNorm(let epsilon):
                let mean = h.reduce(0, +) / Double(d)
                let deviation = (h.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(d - 1)).squareRoot()
                return h.map { ($0 - mean) / (deviation + epsilon) }
            }
        }

        func sample(_ layer: Int, _ u: [Double]) -> NaiveDictionaryEncoding {
            var result = NaiveDictionaryEncoding(layer: layer, u: u)
            result.encode(configuration, weights)
            return result
        }
        switch configuration.architecture {
        case .crosscoder: return [sample(0, x.flatMap { $0 })]
        case .mlsae: return x.indices.map { sample($0, x[$0]) }
        case .random:
            let layer = drawnLayer(batch.drawKeys[token], layers: x.count)
            return [sample(layer, x[layer])]
        default: return [sample(0, x[0])]
        }
    }

    /// ⌊layers · hash / 2⁶⁴⌋, the hash being SplitMix64's last steps.
    static func drawnLayer(_ key: UInt64, layers: Int) -> Int {
        var z = key
        z ^= z >> 30
        z = z &* 0xBF58_476D_1CE4_E5B9
        z ^= z >> 27
        z = z &* 0x94D0_49BB_1331_11EB
        z ^= z >> 31
        let count = UInt64(layers)
        return Int(((z >> 32) * count + ((z & 0xFFFF_FFFF) * count) >> 32) >> 32)
    }

    private mutating func encode(_ configuration: DictionaryConfiguration, _ weights: DictionaryWeights) {
        let isCorrected = configuration.fidelity == .corrected
        let bias =
            weights.preBias.rows > 0 ? weights.preBias.elements.map { Double($0) } : u.map { _ in 0 }
        seen = configuration.subtractsPreBias ? zip(u, bias).map { $0 - $1 } : u
        let products = (0..<configuration.latents).map { latent in
            seen.indices.reduce(0.0) { $0 + Double(weights.encoder[latent, $1]) * seen[$1] }
        }

        func value(_ matrix: Matrix, _ latent: Int) -> Double { Double(matrix[0, latent]) }
        func note(_ distance: Double) { margin = min(margin, abs(distance)) }
        if configuration.architecture == .gated {
            for (latent, product) in products.enumerated() {
                let gate = product + value(weights.gateBias, latent)
                let size = exp(value(weights.magnitudeScale, latent)) * product + value(weights.magnitudeBias, latent)
                note(min(abs(gate), abs(size)))
                if gate > 0 && size > 0 { active.append((latent, size)) }
            }
        } else {
            var norms = Array(repeating: 1.0, count: products.count)
            if configuration.selection == .activationTimesNorm {
                norms = products.indices.map { latent in
                    u.indices.reduce(0) { $0 + pow(Double(weights.decoder[latent, $1]), 2) }.squareRoot()
                }
            }
            let a = products.enumerated().map {
                ($0.element + value(weights.latentBias, $0.offset)) * norms[$0.offset]
            }
            let order = a.indices.sorted { (a[$0], -$0) > (a[$1], -$1) }
            if let k = configuration.k, configuration.selection == .groups {
                let run = a.count / k
                for group in 0..<k {
                    let sorted = (group * run..<(group + 1) * run).sorted { a[$0] > a[$1] }
                    active.append((sorted[0], max(a[sorted[0]], 0)))
                    if run > 1 { note(a[sorted[0]] - a[sorted[1]]) }
                }
            } else if let k = configuration.k {
                active = order.prefix(k).sorted().map { ($0, isCorrected ? max(a[$0], 0) : a[$0]) }
                if k < a.count { note(a[order[k - 1]] - a[order[k]]) }
            } else {
                for latent in a.indices {
                    var threshold = 0.0
                    if configuration.architecture == .jumprelu {
                        let stored = value(weights.threshold, configuration.thresholdForm == .shared ? 0 : latent)
                        threshold = configuration.thresholdForm == .logarithm ? exp(stored) : stored
                        if isCorrected { threshold = max(threshold, 0) }
                    }
                    note(a[latent] - threshold)
                    if a[latent] > threshold { active.append((latent, a[latent])) }
                }
            }
        }
        reconstruction = bias
        for (latent, activation) in active {
            let row = u.indices.map { Double(weights.decoder[latent, $0]) }
            // Where latents are kept by activation times norm, the product is the activation.
            let norm =
                configuration.selection == .activationTimesNorm ? row.reduce(0) { $0 + $1 * $1 }.squareRoot() : 1
            guard norm > 0 else { continue }
            for column in u.indices { reconstruction[column] += activation * row[column] / norm }
        }
    }
}
