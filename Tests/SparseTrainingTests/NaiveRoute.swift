import Foundation
import LinearAlgebra
import SparseCoding
import SparseTraining
import Vocabulary

/// The loss of a RouteSAE in double precision, by plain loops from the paper's formulas.
///
/// What the method holds fixed while it differentiates (which layer and which latents are chosen, and what is detached)
/// is found once by `select` and then passed to `loss`, so that a finite difference of `loss` is the gradient.
struct NaiveRoute {
    /// The weights, row-major as in `DictionaryWeights`; keys are the names in `DictionaryWeights.tensors`.
    var parameters: [String: [Double]]

    let configuration: DictionaryConfiguration
    var loadBalance = 0.0
    var gradient = RouterGradient.straightThrough
    var errors = RouterErrors.spanning
    /// For each token the layer it is read at instead of the router's choice.
    var explored: [Int?] = []
    /// k of a batch's choice, where the configuration has none.
    var batchK: Int?
    /// The prefixes of a Matryoshka.
    var prefixes: [Int] = []
    var auxiliary: (coefficient: Double, k: Int)?
    /// The dead latents, ascending.
    var dead: [Int] = []

    init(_ configuration: DictionaryConfiguration, _ weights: DictionaryWeights) {
        self.configuration = configuration
        parameters = [:]
        for tensor in weights.tensors { parameters[tensor.name] = tensor.matrix.elements.map { Double($0) } }
    }

    /// What is held fixed for one token.
    struct Selection {
        /// The router's choice.
        var layer: Int
        /// The layer that is read.
        var read: Int
        var latents: [Int]
        var deadLatents: [Int]
        var probabilities: [Double]
        var u: [Double]
        var error: [Double]
        /// ‖û − x‖² / ‖x‖² at every layer.
        var layerErrors: [Double]
    }

    struct Losses {
        var main = 0.0
        var balance = 0.0
        var auxiliary = 0.0
        /// What only moves the router; zero until it moves.
        var routing = 0.0
        var total: Double { main + balance + auxiliary + routing }
    }

    private var d: Int { configuration.dModel }

    /// The standardised activations `[layers][d]` of each token of a batch.
    func standardised(_ batch: ActivationBatch) -> [[[Double]]] {
        (0..<batch.count).map { token in
            configuration.layers.map { layer in
                let position = batch.layers.firstIndex(of: layer)!
                let h = (0..<d).map { Double(batch.values[token, position * d + $0]) }
                let mean = h.reduce(0, +) / Double(d)
                let deviation = (h.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(d - 1)).squareRoot()
                return h.map { ($0 - mean) / (deviation + 1e-6) }
            }
        }
    }

    private func probabilities(_ x: [[Double]]) -> [Double] {
        let divisor = configuration.aggregation == .mean ? Double(x.count) : 1
        let r = (0..<d).map { column in x.reduce(0) { $0 + $1[column] } / divisor }
        guard let router = parameters["router"] else { return [1] }
        let logits = x.indices.map { layer in (0..<d).reduce(0.0) { $0 + router[layer * d + $1] * r[$1] } }
        let exponentials = logits.map { exp($0 - logits.max()!) }
        let sum = exponentials.reduce(0, +)
        return exponentials.map { $0 / sum }
    }

    private func preActivation(_ latent: Int, _ u: [Double]) -> Double {
        let (encoder, bias) = (parameters["encoder"]!, parameters["pre_bias"]!)
        return (0..<d).reduce(parameters["latent_bias"]![latent]) {
            $0 + encoder[latent * d + $1] * (u[$1] - bias[$1])
        }
    }

    func activation(_ latent: Int, _ u: [Double]) -> Double {
        let a = preActivation(latent, u)
        return configuration.fidelity == .corrected ? max(a, 0) : a
    }

    /// u; with a selection, the one that straight-through differentiation sees: the chosen layer's activation plus
    /// Σ (p − p before) x, which is zero until the router moves.
    private func routed(_ x: [[Double]], _ p: [Double], _ layer: Int, before: [Double]) -> [Double] {
        (0..<d).map { column in
            switch (configuration.routing, configuration.fidelity) {
            case (.soft, _): x.indices.reduce(0) { $0 + p[$1] * x[$1][column] }
            case (.hard, .corrected) where gradient == .layerErrors: x[layer][column]
            case (.hard, .reference): p[layer] * x[layer][column]
            case (.hard, .corrected):
                x.indices.reduce(x[layer][column]) { $0 + (p[$1] - before[$1]) * x[$1][column] }
            }
        }
    }

    private func decoded(_ latents: [Int], _ u: [Double], bias: Bool) -> [Double] {
        let decoder = parameters["decoder"]!
        var result = bias ? parameters["pre_bias"]! : Array(repeating: 0, count: d)
        for latent in latents {
            let z = activation(latent, u)
            for column in 0..<d { result[column] += z * decoder[latent * d + column] }
        }
        return result
    }

    /// The latents of each token among the n · k largest of a batch; of equal ones those of the first tokens and latents.
    private func batchLatents(_ activations: [[Double]], k: Int) -> [[Int]] {
        var all: [(token: Int, latent: Int, value: Double)] = []
        for (token, a) in activations.enumerated() {
            for (latent, value) in a.enumerated() where value > 0 { all.append((token, latent, value)) }
        }
        let kept = all.sorted { ($1.value, $0.token, $0.latent) < ($0.value, $1.token, $1.latent) }
            .prefix(k * activations.count)
        return activations.indices.map { token in kept.filter { $0.token == token }.map(\.latent).sorted() }
    }

    /// The choices made for every token.
    func select(_ tokens: [[[Double]]]) -> [Selection] {
        let selections = selectEach(tokens)
        guard let batchK else { return selections }
        let latents = batchLatents(
            selections.map { selection in (0..<configuration.latents).map { preActivation($0, selection.u) } },
            k: batchK)
        return zip(selections, latents).map { selection, latents in
            var selection = selection
            selection.latents = latents
            selection.error = zip(selection.u, decoded(latents, selection.u, bias: true)).map { $0 - $1 }
            return selection
        }
    }

    private func selectEach(_ tokens: [[[Double]]]) -> [Selection] {
        let k = configuration.k ?? batchK!
        return tokens.enumerated().map { token, x in
            let p = probabilities(x)
            let layer = p.indices.max { (p[$0], -$0) < (p[$1], -$1) }!
            let read = (explored.isEmpty ? nil : explored[token]) ?? layer
            let u = routed(x, p, read, before: p)
            let a = (0..<configuration.latents).map { preActivation($0, u) }
            let latents = a.indices.sorted { (a[$0], -$0) > (a[$1], -$1) }.prefix(k).sorted()
            let revived = dead.sorted { (a[$0], -$0) > (a[$1], -$1) }.prefix(auxiliary?.k ?? 0).sorted()
            let reconstruction = decoded(latents, u, bias: true)
            let layerErrors = x.map { own in
                let a = (0..<configuration.latents).map { preActivation($0, own) }
                let latents = a.indices.sorted { (a[$0], -$0) > (a[$1], -$1) }.prefix(k)
                let reconstruction = decoded(Array(latents), own, bias: true)
                let compared = errors == .spanning ? x : [own]
                let relative = compared.map { x in
                    zip(reconstruction, x).reduce(0.0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
                        / x.reduce(0) { $0 + $1 * $1 }
                }
                return relative.reduce(0, +) / Double(relative.count)
            }
            return Selection(
                layer: layer, read: read, latents: latents, deadLatents: revived, probabilities: p, u: u,
                error: zip(u, reconstruction).map { $0 - $1 }, layerErrors: layerErrors)
        }
    }

    /// The losses with the choices held fixed.
    func losses(_ tokens: [[[Double]]], _ selections: [Selection]) -> Losses {
        var result = Losses()
        let count = Double(tokens.count)
        let layers = configuration.layers.count
        var shares = Array(repeating: 0.0, count: layers)
        for selection in selections { shares[selection.layer] += 1 / count }
        let meanError = (0..<d).map { column in selections.reduce(0) { $0 + $1.error[column] } / count }
        var variance = 0.0
        var unexplained = 0.0
        let tried = min(tokens.count, 256 / layers)
        let triedTokens = Set((0..<tried).map { $0 * tokens.count / tried })
        for (token, (x, selection)) in zip(tokens, selections).enumerated() {
            let p = probabilities(x)
            if gradient == .layerErrors, configuration.routing == .hard, configuration.fidelity == .corrected,
                layers > 1, triedTokens.contains(token)
            {
                for layer in 0..<layers {
                    let moved = p[layer] - selection.probabilities[layer]
                    result.routing += moved * selection.layerErrors[layer] / Double(tried)
                }
            }

            let u = routed(x, p, selection.read, before: selection.probabilities)
            for prefix in prefixes.isEmpty ? [configuration.latents] : prefixes {
                let reconstruction = decoded(selection.latents.filter { $0 < prefix }, u, bias: true)
                let error = zip(reconstruction, u).reduce(0.0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
                result.main += error / u.reduce(0) { $0 + $1 * $1 } / count / Double(max(prefixes.count, 1))
            }
            for layer in 0..<layers {
                result.balance += loadBalance * Double(layers) * shares[layer] * p[layer] / count
            }

            let revived = decoded(selection.deadLatents, selection.u, bias: false)
            for column in 0..<d {
                let e = selection.error[column]
                unexplained += (revived[column] - e) * (revived[column] - e)
                variance += (e - meanError[column]) * (e - meanError[column])
            }
        }
        if let auxiliary, !dead.isEmpty {
            result.auxiliary =
                auxiliary.coefficient * min(Double(dead.count) / Double(auxiliary.k), 1) * unexplained / variance
        }
        return result
    }

    /// ∂loss/∂parameter of one tensor by central differences.
    func gradient(of name: String, _ tokens: [[[Double]]], _ selections: [Selection]) -> [Float] {
        var moved = self
        let step = 1e-5
        return parameters[name]!.indices.map { index in
            let value = parameters[name]![index]
            moved.parameters[name]![index] = value + step
            let above = moved.losses(tokens, selections).total
            moved.parameters[name]![index] = value - step
            let below = moved.losses(tokens, selections).total
            moved.parameters[name]![index] = value
            return Float((above - below) / (2 * step))
        }
    }
}
