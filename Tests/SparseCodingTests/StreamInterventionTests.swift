import LinearAlgebra
import SparseCoding
import TestSupport
import Testing
import Vocabulary

/// The effect of edits on residual streams, against plain loops over `NaiveDictionaryEncoding`.
@Suite struct StreamInterventionTests {
    static let architectures = Architecture.allCases
    private static let d = 24

    private func configuration(
        _ architecture: Architecture, routing: RoutingMode = .hard, fidelity: Fidelity = .corrected
    ) throws -> DictionaryConfiguration {
        try DictionaryConfiguration(
            architecture: architecture, dModel: Self.d, latents: 40,
            k: [.vanilla, .gated, .jumprelu].contains(architecture) ? nil : 5,
            layers: architecture.readsOneLayer ? [3] : [1, 3, 4], routing: routing, fidelity: fidelity)
    }

    /// Streams of some layers, the tokens of a batch and one token before them, with a draw key for each.
    private func batch(_ configuration: DictionaryConfiguration, seed: UInt64) -> ActivationBatch {
        let batch = randomBatch(count: 12, layers: configuration.layers, dModel: Self.d, seed: seed)
        for token in 0..<batch.count { batch.drawKeys[token] = ActivationBatch.drawKey(document: 5, position: token) }
        return batch
    }

    private func weights(_ configuration: DictionaryConfiguration) -> DictionaryWeights {
        randomWeights(configuration, seed: 4)
    }

    /// The streams after one layer, in a matrix with a row before them.
    private func streams(of batch: ActivationBatch, _ slot: Int) -> Matrix {
        let matrix = Matrix(rows: batch.count + 1, columns: Self.d)
        matrix.fill(9)
        for token in 0..<batch.count {
            matrix.row(token + 1).update(from: batch.values.row(token) + slot * Self.d, count: Self.d)
        }
        return matrix
    }

    /// A latent that is active on some tokens, and not on all.
    private func activeLatent(_ configuration: DictionaryConfiguration, _ weights: DictionaryWeights) throws -> Int {
        let batch = batch(configuration, seed: 1)
        let encoder = DictionaryEncoder(configuration: configuration, weights: weights, workers: Workers(threads: 1))
        let input = AutoencoderInput(capacity: batch.count, configuration: configuration)
        try encoder.read(batch, into: input)
        let samples = batch.count * configuration.samplesPerToken
        let latents = SparseLatents(capacity: batch.count, configuration: configuration)
        encoder.encode(input, count: samples, into: latents)
        var counts = [Int](repeating: 0, count: configuration.latents)
        for sample in 0..<samples {
            for slot in 0..<Int(latents.counts[sample]) where latents.activations(of: sample)[slot] > 0 {
                counts[Int(latents.indices(of: sample)[slot])] += 1
            }
        }
        return try #require(counts.indices.filter { counts[$0] < samples }.max { counts[$0] < counts[$1] })
    }

    @Test(
        "An edit that changes no latent changes no bit of the stream", arguments: architectures,
        [RoutingMode.hard, .soft])
    func whatChangesNothingLeavesEveryBit(_ architecture: Architecture, _ routing: RoutingMode) throws {
        for fidelity in [Fidelity.corrected, .reference] {
            let configuration = try configuration(architecture, routing: routing, fidelity: fidelity)
            let weights = weights(configuration)
            let latent = try activeLatent(configuration, weights)
            let batch = batch(configuration, seed: 1)
            for (operation, strength) in [(EditOperation.add, 0.0), (.multiply, 1)] {
                let intervention = try StreamIntervention(
                    encoder: DictionaryEncoder(
                        configuration: configuration, weights: weights, workers: Workers(threads: 2)),
                    edits: [LatentEdit(feature: latent, operation: operation, strength: strength)])
                let sites = try intervention.sites(of: batch)
                for (slot, layer) in configuration.layers.enumerated() {
                    let h = streams(of: batch, slot)
                    let before = h.elements.map(\.bitPattern)
                    try intervention.apply(sites, after: layer, to: h, firstRow: 1)
                    #expect(h.elements.map(\.bitPattern) == before)
                }
            }
        }
    }

    /// h + std · (ẑ' − ẑ) · W_dec at the layer that each token is read at, ẑ from the stream as it is there, which is not
    /// that of the unedited model.
    @Test(
        "An edit adds the change of the decoded latents",
        arguments: [Architecture.topk, .vanilla, .gated, .jumprelu, .random, .mlsae])
    func theChangeOfWhatIsReadThere(_ architecture: Architecture) throws {
        let configuration = try configuration(architecture)
        let weights = weights(configuration)
        let latent = try activeLatent(configuration, weights)
        let unedited = batch(configuration, seed: 2)
        let there = batch(configuration, seed: 1)
        for (operation, strength) in [(EditOperation.set, 2.5), (.add, 1.5), (.add, -0.3), (.multiply, 0)] {
            let edits = [
                LatentEdit(feature: latent, operation: operation, strength: strength),
                LatentEdit(feature: (latent + 1) % 40, operation: .set, strength: 0.75),
            ]
            for replacing in [false, true] {
                let intervention = try StreamIntervention(
                    encoder: DictionaryEncoder(
                        configuration: configuration, weights: weights, workers: Workers(threads: 2)),
                    edits: edits, replacing: replacing)
                let sites = try intervention.sites(of: unedited)
                for (slot, layer) in configuration.layers.enumerated() {
                    let h = streams(of: there, slot)
                    try intervention.apply(sites, after: layer, to: h, firstRow: 1)
                    #expect(Array(h.elements.prefix(Self.d)) == Array(repeating: 9, count: Self.d))
                    for token in 0..<there.count {
                        let expected = naive(
                            configuration, weights, there, token: token, slot: slot, edits, replacing: replacing)
                        expectClose(
                            Array(h.elements[(token + 1) * Self.d..<(token + 2) * Self.d]), expected, relative: 1e-5,
                            "\(architecture) \(operation) token \(token) layer \(layer)")
                    }
                }
            }
        }
    }

    private func naive(
        _ configuration: DictionaryConfiguration, _ weights: DictionaryWeights, _ batch: ActivationBatch, token: Int,
        slot: Int, _ edits: [LatentEdit], replacing: Bool
    ) -> [Float] {
        let h = (0..<Self.d).map { Double(batch.values[token, slot * Self.d + $0]) }
        let samples = NaiveDictionaryEncoding.samples(configuration, weights, batch, token: token)
        guard let sample = samples.first(where: { $0.layer == slot }) else { return h.map(Float.init) }
        let mean = h.reduce(0, +) / Double(Self.d)
        let deviation = (h.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(Self.d - 1)).squareRoot()
        var change = [Double](repeating: 0, count: Self.d)
        for edit in edits {
            let activation = sample.active.first { $0.latent == edit.feature }?.activation ?? 0
            let edited =
                switch edit.operation {
                case .set: edit.strength
                case .add: max(0, activation + edit.strength)
                case .multiply: activation * edit.strength
                }
            for column in change.indices {
                change[column] += (edited - activation) * Double(weights.decoder[edit.feature, column])
            }
        }
        return h.indices.map { column in
            Float(
                replacing
                    ? mean + deviation * (sample.reconstruction[column] + change[column])
                    : h[column] + deviation * change[column])
        }
    }

    /// The unedited model's choice of a layer holds, whatever the current stream; the reference's scale goes both
    /// ways.
    @Test(arguments: [Fidelity.corrected, .reference]) func hardRouting(_ fidelity: Fidelity) throws {
        let configuration = try configuration(.route, fidelity: fidelity)
        let weights = weights(configuration)
        let encoder = DictionaryEncoder(configuration: configuration, weights: weights, workers: Workers(threads: 2))
        let unedited = batch(configuration, seed: 2)
        let reading = AutoencoderInput(capacity: unedited.count, configuration: configuration)
        try encoder.read(unedited, into: reading)
        let intervention = try StreamIntervention(
            encoder: encoder, edits: [LatentEdit(feature: 3, operation: .set, strength: 2)])
        let sites = try intervention.sites(of: unedited)
        var chosen: Set<Int32> = []
        for (slot, layer) in configuration.layers.enumerated() {
            let h = streams(of: unedited, slot)
            let before = h.copy()
            try intervention.apply(sites, after: layer, to: h, firstRow: 1)
            for token in 0..<unedited.count {
                let rows = (h.row(token + 1), before.row(token + 1))
                let difference = (0..<Self.d).map { rows.0[$0] - rows.1[$0] }
                chosen.insert(reading.selected[token])
                guard reading.selected[token] == Int32(slot) else {
                    #expect(difference.allSatisfy { $0 == 0 })
                    continue
                }
                // Read again with the same scale, the reconstruction of s · x has changed by (2 − ẑ) · W_dec.
                let latents = SparseLatents(capacity: unedited.count, configuration: configuration)
                encoder.encode(reading, count: unedited.count, into: latents)
                let slots = (0..<Int(latents.counts[token])).filter { latents.indices(of: token)[$0] == 3 }
                let activation = slots.first.map { latents.activations(of: token)[$0] } ?? 0
                let scale = reading.scale.pointer[token] / reading.deviations[token, slot]
                expectClose(
                    difference.map { $0 * scale }, (0..<Self.d).map { (2 - activation) * weights.decoder[3, $0] },
                    relative: 1e-4)
            }
        }
        #expect(chosen.count > 1)
    }

    /// The mix of the unedited streams changes by exactly (ẑ' − ẑ) · W_dec.
    @Test func softRoutingChangesTheMix() throws {
        let configuration = try configuration(.route, routing: .soft)
        let weights = weights(configuration)
        let encoder = DictionaryEncoder(configuration: configuration, weights: weights, workers: Workers(threads: 2))
        let batch = batch(configuration, seed: 2)
        let reading = AutoencoderInput(capacity: batch.count, configuration: configuration)
        try encoder.read(batch, into: reading)
        let latents = SparseLatents(capacity: batch.count, configuration: configuration)
        encoder.encode(reading, count: batch.count, into: latents)
        let intervention = try StreamIntervention(
            encoder: encoder, edits: [LatentEdit(feature: 3, operation: .set, strength: 2)])
        let sites = try intervention.sites(of: batch)
        var mix = [[Float]](repeating: Array(repeating: 0, count: Self.d), count: batch.count)
        for (slot, layer) in configuration.layers.enumerated() {
            let h = streams(of: batch, slot)
            let before = h.copy()
            try intervention.apply(sites, after: layer, to: h, firstRow: 1)
            for token in 0..<batch.count {
                for column in 0..<Self.d {
                    let x = (h[token + 1, column] - before[token + 1, column]) / reading.deviations[token, slot]
                    mix[token][column] += reading.probabilities[token, slot] * x
                }
            }
        }
        for token in 0..<batch.count {
            let slots = (0..<Int(latents.counts[token])).filter { latents.indices(of: token)[$0] == 3 }
            let activation = slots.first.map { latents.activations(of: token)[$0] } ?? 0
            expectClose(mix[token], (0..<Self.d).map { (2 - activation) * weights.decoder[3, $0] }, relative: 1e-4)
        }
        #expect(throws: SparseCodingError.self) {
            try StreamIntervention(encoder: encoder, edits: [], replacing: true)
        }
    }

    /// Every layer gets its own part of the decoder.
    @Test func aCrosscodersLayers() throws {
        let configuration = try configuration(.crosscoder)
        let weights = weights(configuration)
        let encoder = DictionaryEncoder(configuration: configuration, weights: weights, workers: Workers(threads: 2))
        let batch = batch(configuration, seed: 2)
        for replacing in [false, true] {
            let intervention = try StreamIntervention(
                encoder: encoder, edits: [LatentEdit(feature: 3, operation: .add, strength: 2)], replacing: replacing)
            let sites = try intervention.sites(of: batch)
            for (slot, layer) in configuration.layers.enumerated() {
                let h = streams(of: batch, slot)
                let before = h.copy()
                try intervention.apply(sites, after: layer, to: h, firstRow: 1)
                for token in 0..<batch.count {
                    let row = (0..<Self.d).map { before[token + 1, $0] }
                    let mean = row.reduce(0, +) / Float(Self.d)
                    let square = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(Self.d - 1)
                    let sample = NaiveDictionaryEncoding.samples(configuration, weights, batch, token: token)[0]
                    let expected = (0..<Self.d).map { column in
                        let change = 2 * weights.decoder[3, slot * Self.d + column]
                        let whole = Float(sample.reconstruction[slot * Self.d + column]) + change
                        let deviation = square.squareRoot()
                        return replacing ? mean + deviation * whole : row[column] + deviation * change
                    }
                    expectClose((0..<Self.d).map { h[token + 1, $0] }, expected, relative: 1e-5, "layer \(layer)")
                }
            }
        }
    }

    @Test func aStreamThatIsNotFiniteIsRefused() throws {
        let configuration = try configuration(.topk)
        let intervention = try StreamIntervention(
            encoder: DictionaryEncoder(
                configuration: configuration, weights: weights(configuration), workers: Workers(threads: 1)),
            edits: [LatentEdit(feature: 3, operation: .set, strength: 1)])
        let batch = batch(configuration, seed: 1)
        let sites = try intervention.sites(of: batch)
        let h = streams(of: batch, 0)
        h[4, 2] = .infinity
        #expect(throws: SparseCodingError.self) { try intervention.apply(sites, after: 3, to: h, firstRow: 1) }
        // Another layer is none of the dictionary's.
        let other = streams(of: batch, 0)
        try intervention.apply(sites, after: 2, to: other, firstRow: 1)
        #expect(other.elements == streams(of: batch, 0).elements)
    }
}
