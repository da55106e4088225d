import Foundation
import LinearAlgebra
import SparseCoding
import Vocabulary

/// The loss of every dictionary without a router in double precision, by plain loops from the papers' formulas.
///
/// What the method holds fixed while it differentiates (which latents are active, and what is detached) is found once by
/// `hold` and then passed to `losses`, so that a finite difference of `losses` is the gradient.
struct NaiveDictionary {
    /// The weights, row-major as in `DictionaryWeights`; keys are the names in `DictionaryWeights.tensors`.
    var parameters: [String: [Double]]
    let configuration: DictionaryConfiguration
    /// λ of the step.
    var lambda = 0.0
    var auxiliary: (coefficient: Double, k: Int)?
    /// The dead latents, ascending.
    var dead: [Int] = []

    init(_ configuration: DictionaryConfiguration, _ weights: DictionaryWeights) {
        self.configuration = configuration
        parameters = [:]
        for tensor in weights.tensors { parameters[tensor.name] = tensor.matrix.elements.map { Double($0) } }
    }

    /// What is held fixed for one sample.
    struct Held {
        /// The latents that TopK keeps or that fire, ascending.
        var active: [Int] = []
        /// A gated dictionary's open gates.
        var open: [Int] = []
        var revived: [Int] = []
        /// u − û, detached.
        var error: [Double] = []
        /// Distance of the nearest choice from flipping.
        var margin = Double.infinity
    }

    struct Losses {
        var main = 0.0
        var sparsity = 0.0
        var auxiliary = 0.0
        var total: Double { main + sparsity + auxiliary }
    }

    var isCorrected: Bool { configuration.fidelity == .corrected }
    var isCrosscoder: Bool { configuration.architecture == .crosscoder }
    var d: Int { configuration.dModel }
    var m: Int { configuration.latents }
    var parts: Int { isCrosscoder ? configuration.layers.count : 1 }
    var width: Int { parts * d }

    /// θ of every latent of a JumpReLU.
    var thresholds: [Double] { parameters["threshold"]!.map { isCorrected ? exp($0) : $0 } }

    /// The inputs u of a batch's samples.
    func samples(_ batch: ActivationBatch) -> [[Double]] {
        (0..<batch.count).flatMap { token -> [[Double]] in
            let x = configuration.layers.map { layer -> [Double] in
                let start = batch.layers.firstIndex(of: layer)! * d
                let h = (0..<d).map { Double(batch.values[token, start + $0]) }
                let mean = h.reduce(0, +) / Double(d)
                let deviation = (h.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(d - 1)).squareRoot()
                return h.map { ($0 - mean) / (deviation + 1e-6) }
            }
            switch configuration.architecture {
            case .crosscoder: return [x.flatMap { $0 }]
            case .mlsae: return x
            case .random: return [x[drawnLayer(batch.drawKeys[token])]]
            default: return [x[0]]
            }
        }
    }

    /// ⌊layers · hash / 2⁶⁴⌋, the hash being SplitMix64's last steps.
    func drawnLayer(_ key: UInt64) -> Int {
        var z = key
        z ^= z >> 30
        z = z &* 0xBF58_476D_1CE4_E5B9
        z ^= z >> 27
        z = z &* 0x94D0_49BB_1331_11EB
        z ^= z >> 31
        let layers = UInt64(configuration.layers.count)
        return Int(((z >> 32) * layers + ((z & 0xFFFF_FFFF) * layers) >> 32) >> 32)
    }

    /// The input of the encoder: crosscoders and the corrected JumpReLU do not take b_pre off.
    func centered(_ u: [Double]) -> [Double] {
        guard !isCrosscoder, !(configuration.architecture == .jumprelu && isCorrected) else { return u }
        return zip(u, parameters["pre_bias"]!).map { $0 - $1 }
    }

    func product(_ encoder: [Double], _ latent: Int, _ x: [Double]) -> Double {
        var sum = 0.0
        for column in 0..<width { sum += encoder[latent * width + column] * x[column] }
        return sum
    }

    func decoded(_ z: [(latent: Int, size: Double)], _ decoder: [Double], _ bias: [Double]?) -> [Double] {
        var result = bias ?? Array(repeating: 0, count: width)
        for (latent, size) in z {
            for column in 0..<width { result[column] += size * decoder[latent * width + column] }
        }
        return result
    }

    /// The mean over the parts of ‖û − u‖² / ‖u‖².
    func relativeError(_ reconstruction: [Double], _ u: [Double]) -> Double {
        (0..<parts).reduce(0) { sum, part in
            var (error, norm) = (0.0, 0.0)
            for c in part * d..<(part + 1) * d {
                error += (reconstruction[c] - u[c]) * (reconstruction[c] - u[c])
                norm += u[c] * u[c]
            }
            return sum + error / norm / Double(parts)
        }
    }

    /// The activation of an active latent from the encoder's product.
    func size(_ latent: Int, _ product: Double) -> Double {
        guard configuration.architecture == .gated else { return product + parameters["latent_bias"]![latent] }
        return exp(parameters["r_mag"]![latent]) * product + parameters["mag_bias"]![latent]
    }

    /// The choices made for every sample.
    func hold(_ samples: [[Double]]) -> [Held] {
        let encoder = parameters["encoder"]!
        return samples.map { u in
            let x = centered(u)
            let products = (0..<m).map { product(encoder, $0, x) }
            let a = products.enumerated().map { size($0.offset, $0.element) }
            var held = Held()
            func note(_ distance: Double) { held.margin = min(held.margin, abs(distance)) }
            if let k = configuration.k {
                let order = a.indices.sorted { (a[$0], -$0) > (a[$1], -$1) }
                held.active = order.prefix(k).filter { !isCorrected || a[$0] > 0 }.sorted()
                if k < m { note(a[order[k - 1]] - a[order[k]]) }
                if isCorrected { for latent in order.prefix(k) { note(a[latent]) } }
                let idle = dead.sorted { (a[$0], -$0) > (a[$1], -$1) }
                held.revived = idle.prefix(auxiliary?.k ?? 0).filter { !isCorrected || a[$0] > 0 }.sorted()
            } else if configuration.architecture == .gated {
                let gate = zip(products, parameters["gate_bias"]!).map { $0 + $1 }
                held.open = gate.indices.filter { gate[$0] > 0 }
                held.active = held.open.filter { a[$0] > 0 }
                for latent in 0..<m { note(min(abs(gate[latent]), abs(a[latent]))) }
            } else {
                let bounds = configuration.architecture == .jumprelu ? thresholds : a.map { _ in 0 }
                held.active = a.indices.filter { a[$0] > bounds[$0] }
                for latent in 0..<m { note(a[latent] - bounds[latent]) }
            }

            let z = held.active.map { ($0, a[$0]) }
            held.error = zip(u, decoded(z, parameters["decoder"]!, parameters["pre_bias"])).map { $0 - $1 }
            return held
        }
    }
}
