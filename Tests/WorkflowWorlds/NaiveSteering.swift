import Foundation
package import LanguageModel
import LinearAlgebra
package import SparseCoding
import Vocabulary

/// Steering by full passes over the whole text for every token, with edits in place and plain loops: nothing is kept
/// from one token to the next.
package struct NaiveSteering {
    let model: LanguageModel
    let configuration: DictionaryConfiguration
    let weights: DictionaryWeights
    let edits: [LatentEdit]
    let seed: Int

    package init(
        model: LanguageModel, configuration: DictionaryConfiguration, weights: DictionaryWeights, edits: [LatentEdit],
        seed: Int
    ) {
        self.model = model
        self.configuration = configuration
        self.weights = weights
        self.edits = edits
        self.seed = seed
    }

    /// The likeliest tokens after a text whose first token is BOS, and the mean KL divergence.
    package func greedy(_ prompt: [Int32], count: Int, stops: Set<Int32>) throws -> (
        tokens: [Int32], divergence: Double
    ) {
        var tokens = prompt
        var divergence = 0.0
        for _ in 0..<count {
            let batch = try TokenBatch(sequences: [tokens])
            let plain = try model.logits(of: batch, rows: .lastOfEachSequence).elements
            let additions = try additions(tokens)
            let steered = try model.logits(of: batch, rows: .lastOfEachSequence) { layer, residual in
                guard let slot = configuration.layers.firstIndex(of: layer) else { return }
                for token in 1..<tokens.count {
                    let change = try additions(token, slot, residual.row(token))
                    for column in change.indices { residual[token, column] += change[column] }
                }
            }.elements
            divergence += kl(plain, steered)
            let best = steered.indices.max { steered[$0] < steered[$1] } ?? 0
            tokens.append(Int32(best))
            if stops.contains(Int32(best)) { break }
        }

        let added = Array(tokens.dropFirst(prompt.count))
        return (added, divergence / Double(added.count))
    }

    private func kl(_ one: [Float], _ other: [Float]) -> Double {
        func logs(_ logits: [Float]) -> [Double] {
            let sum = logits.reduce(0.0) { $0 + exp(Double($1)) }
            return logits.map { Double($0) - log(sum) }
        }
        return zip(logs(one), logs(other)).reduce(0.0) { $0 + exp($1.0) * ($1.0 - $1.1) }
    }

    /// What to add to a token's stream at a layer, given the stream.
    private func additions(
        _ tokens: [Int32]
    ) throws -> (_ token: Int, _ slot: Int, _ h: UnsafeMutablePointer<Float>) throws -> [Float] {
        let d = configuration.dModel
        let streams = try model.residualStreams(of: TokenBatch(sequences: [tokens]), layers: configuration.layers)
        let batch = ActivationBatch(capacity: tokens.count, layers: configuration.layers, dModel: d)
        batch.count = tokens.count
        for token in tokens.indices {
            batch.values.row(token).update(from: streams.values.row(token), count: batch.values.columns)
            batch.drawKeys[token] = ActivationBatch.drawKey(document: seed, position: token - 1)
        }

        let reading = AutoencoderInput(capacity: tokens.count, configuration: configuration)
        let encoder = DictionaryEncoder(configuration: configuration, weights: weights, workers: Workers(threads: 1))
        try encoder.read(batch, into: reading)
        let isMixed = configuration.routes && configuration.routing == .soft
        let readsAll = configuration.architecture == .crosscoder || isMixed
        let latents = SparseLatents(capacity: tokens.count, configuration: configuration)
        if readsAll { encoder.encode(reading, count: tokens.count, into: latents) }
        return { token, slot, h in
            if readsAll {
                let p = (0..<configuration.layers.count).map { reading.probabilities[token, $0] }
                let share = isMixed ? p[slot] / p.reduce(0) { $0 + $1 * $1 } : 1
                return change(
                    latents, of: token, factor: share * reading.deviations[token, slot],
                    offset: isMixed ? 0 : slot * d)
            }
            if configuration.architecture != .mlsae, reading.selected[token] != Int32(slot) {
                return [Float](repeating: 0, count: d)
            }
            return try changeHere(h, scale: reading.scale.pointer[token])
        }
    }

    /// The change from the stream itself, read by a dictionary of one layer with the same weights.
    private func changeHere(_ h: UnsafeMutablePointer<Float>, scale: Float) throws -> [Float] {
        let isOneLayers = configuration.architecture.readsOneLayer
        let single = try DictionaryConfiguration(
            architecture: isOneLayers ? configuration.architecture : .topk, dModel: configuration.dModel,
            latents: configuration.latents, k: configuration.k, layers: [0], fidelity: configuration.fidelity)
        let batch = ActivationBatch(capacity: 1, layers: [0], dModel: configuration.dModel)
        batch.count = 1
        batch.values.row(0).update(from: h, count: configuration.dModel)
        let encoder = DictionaryEncoder(configuration: single, weights: weights, workers: Workers(threads: 1))
        let reading = AutoencoderInput(capacity: 1, configuration: single)
        try encoder.read(batch, into: reading)
        if configuration.scalesByProbability {
            for column in 0..<configuration.dModel {
                let bias = weights.preBias[0, column]
                reading.centered[0, column] = scale * (reading.centered[0, column] + bias) - bias
            }
        }

        let latents = SparseLatents(capacity: 1, configuration: single)
        encoder.encode(reading, count: 1, into: latents)
        return change(latents, of: 0, factor: reading.deviations[0, 0] / scale, offset: 0)
    }

    private func change(_ latents: SparseLatents, of sample: Int, factor: Float, offset: Int) -> [Float] {
        var change = [Float](repeating: 0, count: configuration.dModel)
        for edit in edits {
            let slots = (0..<Int(latents.counts[sample])).filter {
                latents.indices(of: sample)[$0] == Int32(edit.feature)
            }

            let activation = slots.first.map { latents.activations(of: sample)[$0] } ?? 0
            let strength = Float(edit.strength)
            let edited =
                switch edit.operation {
                case .set: strength
                case .add: max(activation + strength, 0)
                case .multiply: activation * strength
                }
            for column in change.indices {
                change[column] += factor * (edited - activation) * weights.decoder[edit.feature, offset + column]
            }
        }
        return change
    }
}
