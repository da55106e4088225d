import LinearAlgebra
import SparseCoding
import TestSupport
import Testing
import Vocabulary

@Suite struct DictionaryEncoderTests {
    struct Rules: CustomTestStringConvertible {
        let routing: RoutingMode
        let aggregation: RouterAggregation
        let fidelity: Fidelity
        var testDescription: String { "\(fidelity) \(routing) \(aggregation)" }
    }

    static let allRules = Fidelity.allCases.flatMap { fidelity in
        RoutingMode.allCases.flatMap { routing in
            RouterAggregation.allCases.map { Rules(routing: routing, aggregation: $0, fidelity: fidelity) }
        }
    }

    private func configuration(_ rules: Rules, layers: [Int] = [3, 5, 9]) throws -> DictionaryConfiguration {
        try DictionaryConfiguration(
            dModel: 21, latents: 70, k: 6, layers: layers, routing: rules.routing, aggregation: rules.aggregation,
            fidelity: rules.fidelity)
    }

    /// Compares a batch's routing and latents with the oracle, token by token.
    private func compare(_ configuration: DictionaryConfiguration, count: Int, batchLayers: [Int]) throws {
        let weights = randomWeights(configuration, seed: 3)
        let batch = randomBatch(count: count, layers: batchLayers, dModel: configuration.dModel, seed: 4)
        let encoder = DictionaryEncoder(configuration: configuration, weights: weights, workers: Workers(threads: 2))
        let routed = AutoencoderInput(capacity: count, configuration: configuration)
        let latents = SparseLatents(capacity: count, configuration: configuration)
        try encoder.read(batch, into: routed)
        encoder.encode(routed, count: count, into: latents)
        let d = configuration.dModel
        let positions = configuration.layers.map { batchLayers.firstIndex(of: $0)! }
        var negative = 0
        var chosen = Set<Int>()
        for token in 0..<count {
            let oracle = NaiveEncoding(
                configuration, weights,
                positions.map { position in (0..<d).map { batch.values[token, position * d + $0] } })
            func row(_ matrix: Matrix) -> [Float] {
                Array(UnsafeBufferPointer(start: matrix.row(token), count: matrix.columns))
            }
            expectClose(row(routed.means), oracle.means.map { Float($0) }, absolute: 1e-7, "means of \(token)")
            expectClose(row(routed.deviations), oracle.deviations.map { Float($0) }, relative: 1e-6, "deviations")
            if configuration.routes {
                expectClose(row(routed.summary), oracle.summary.map { Float($0) }, relative: 2e-6, "r of \(token)")
            }
            expectClose(
                row(routed.probabilities), oracle.probabilities.map { Float($0) }, relative: 4e-6, "p of \(token)")
            #expect(Int(routed.selected[token]) == oracle.selected)
            expectClose([routed.scale.pointer[token]], [Float(oracle.scale)], relative: 4e-6, "scale of \(token)")
            expectClose(row(routed.centered), oracle.centered.map { Float($0) }, relative: 4e-6, "u − b of \(token)")
            expectClose(
                [routed.squaredNorm.pointer[token]], [Float(oracle.u.reduce(0) { $0 + $1 * $1 })], relative: 4e-6,
                "‖u‖² of \(token)")
            let indices = (0..<latents.width).map { Int(latents.indices(of: token)[$0]) }
            let activations = (0..<latents.width).map { latents.activations(of: token)[$0] }
            #expect(latents.counts[token] == 6)
            #expect(indices == oracle.active.map(\.latent), "latents of token \(token)")
            expectClose(
                activations, oracle.active.map { Float($0.activation) }, relative: 4e-6, "z of \(token)")
            negative += activations.filter { $0 < 0 }.count
            chosen.insert(oracle.selected)
        }
        if configuration.rectified { #expect(negative == 0) }
        if count > 100 { #expect(chosen == Set(configuration.layers.indices)) }
    }

    @Test(arguments: allRules) func followsTheOracle(rules: Rules) throws {
        // More tokens than a routing tile (64) and an encode tile (256); more layers than the dictionary reads.
        try compare(try configuration(rules), count: 300, batchLayers: [2, 3, 4, 5, 9])
        try compare(try configuration(rules), count: 1, batchLayers: [3, 5, 9])
    }

    @Test(arguments: allRules) func oneLayerIsATopKAutoencoder(rules: Rules) throws {
        let configuration = try configuration(rules, layers: [5])
        try compare(configuration, count: 20, batchLayers: [3, 5, 9])
        let batch = randomBatch(count: 20, layers: [5], dModel: 21, seed: 1)
        let routed = AutoencoderInput(capacity: 20, configuration: configuration)
        try DictionaryEncoder(
            configuration: configuration, weights: randomWeights(configuration, seed: 1), workers: Workers(threads: 1)
        ).read(batch, into: routed)
        #expect(routed.probabilities.elements.allSatisfy { $0 == 1 } && routed.scale.elements.allSatisfy { $0 == 1 })
    }

    @Test("Negative pre-activations are zeroed only when corrected")
    func keptNegativesAreZeroOnlyWhenCorrected() throws {
        for fidelity in Fidelity.allCases {
            let configuration = try DictionaryConfiguration(
                dModel: 9, latents: 6, k: 6, layers: [0, 1], fidelity: fidelity)
            let batch = randomBatch(count: 30, layers: [0, 1], dModel: 9, seed: 1)
            let routed = AutoencoderInput(capacity: 30, configuration: configuration)
            let latents = SparseLatents(capacity: 30, width: 6)
            let encoder = DictionaryEncoder(
                configuration: configuration, weights: randomWeights(configuration, seed: 1),
                workers: Workers(threads: 1))
            try encoder.read(batch, into: routed)
            encoder.encode(routed, count: 30, into: latents)
            let values = (0..<30 * 6).map { latents.activations[$0] }
            #expect(values.contains { $0 < 0 } == (fidelity == .reference))
            #expect(values.contains(0) == (fidelity == .corrected))
        }
    }

    @Test("Ties go to the first layer") func equalLogitsGoToTheFirstLayer() throws {
        let configuration = try DictionaryConfiguration(dModel: 8, latents: 16, k: 2, layers: [0, 1, 2])
        let weights = DictionaryWeights(configuration, seed: 1)
        weights.router.fill(0)
        let routed = AutoencoderInput(capacity: 5, configuration: configuration)
        try DictionaryEncoder(configuration: configuration, weights: weights, workers: Workers(threads: 1)).read(
            randomBatch(count: 5, layers: [0, 1, 2], dModel: 8, seed: 1), into: routed)
        #expect((0..<5).allSatisfy { routed.selected[$0] == 0 })
        #expect(routed.probabilities.elements.allSatisfy { abs($0 - 1 / 3) < 1e-7 })
    }

    @Test func bitsDoNotDependOnTheThreads() throws {
        for rules in Self.allRules {
            let configuration = try configuration(rules)
            let weights = randomWeights(configuration, seed: 8)
            let batch = randomBatch(count: 600, layers: [3, 5, 9], dModel: 21, seed: 9)
            var first: [[UInt32]]?
            for threads in [1, 2, 3, 5] {
                let encoder = DictionaryEncoder(
                    configuration: configuration, weights: weights, workers: Workers(threads: threads))
                let routed = AutoencoderInput(capacity: 600, configuration: configuration)
                let latents = SparseLatents(capacity: 600, configuration: configuration)
                try encoder.read(batch, into: routed)
                encoder.encode(routed, count: 600, into: latents)
                let bits =
                    [routed.centered, routed.probabilities, routed.squaredNorm].map { $0.elements.map(\.bitPattern) }
                    + [(0..<600 * latents.width).map { latents.activations[$0].bitPattern }]
                    + [(0..<600 * latents.width).map { UInt32(bitPattern: latents.indices[$0]) }]
                if let first { #expect(bits == first, "\(threads) threads") } else { first = bits }
            }
        }
    }

    @Test("Every finished tile is delivered once") func everyFinishedTileIsHandedOnOnce() throws {
        let configuration = try DictionaryConfiguration(dModel: 8, latents: 16, k: 2, layers: [0])
        let count = 2 * DictionaryEncoder.tile + 5
        let batch = randomBatch(count: count, layers: [0], dModel: 8, seed: 1)
        let routed = AutoencoderInput(capacity: count, configuration: configuration)
        let latents = SparseLatents(capacity: count, width: 2)
        let encoder = DictionaryEncoder(
            configuration: configuration, weights: DictionaryWeights(configuration, seed: 1),
            workers: Workers(threads: 1))
        try encoder.read(batch, into: routed)
        var seen: [Int] = []
        encoder.encode(routed, count: count, into: latents) { tokens, worker in
            #expect(worker == 0)
            // Two different latents each: the tile's own are finished.
            for token in tokens { #expect(latents.indices(of: token)[0] < latents.indices(of: token)[1]) }
            seen += Array(tokens)
        }
        #expect(seen == Array(0..<count))
    }

    @Test(arguments: allRules) func damageInAnyLayerIsFound(rules: Rules) throws {
        let configuration = try configuration(rules)
        let encoder = DictionaryEncoder(
            configuration: configuration, weights: randomWeights(configuration, seed: 3), workers: Workers(threads: 2))
        let routed = AutoencoderInput(capacity: 70, configuration: configuration)
        // Layer 4 is in the batch but not in the dictionary: its damage does not matter.
        for (position, layer) in [3, 4, 5, 9].enumerated() {
            for bad in [Float.nan, .infinity, -.infinity, 1e30] {
                let batch = randomBatch(count: 70, layers: [3, 4, 5, 9], dModel: 21, seed: 4)
                batch.values[66, position * 21 + 7] = bad
                if layer == 4 {
                    try encoder.read(batch, into: routed)
                } else {
                    #expect(throws: SparseCodingError.self, "\(bad) in layer \(layer)") {
                        try encoder.read(batch, into: routed)
                    }
                }
            }
        }
    }

    @Test func activationsThatDoNotFitAreRefused() throws {
        let configuration = try DictionaryConfiguration(dModel: 8, latents: 16, k: 2, layers: [1, 3])
        let encoder = DictionaryEncoder(
            configuration: configuration, weights: DictionaryWeights(configuration, seed: 1),
            workers: Workers(threads: 1))
        let routed = AutoencoderInput(capacity: 4, configuration: configuration)
        #expect(throws: SparseCodingError.layer(asked: 3, available: [1, 2])) {
            try encoder.read(randomBatch(count: 4, layers: [1, 2], dModel: 8, seed: 1), into: routed)
        }
        #expect(throws: SparseCodingError.self) {
            try encoder.read(randomBatch(count: 4, layers: [1, 3], dModel: 9, seed: 1), into: routed)
        }
        #expect(
            try encoder.layerPositions(in: ActivationBatch(capacity: 1, layers: [0, 1, 2, 3], dModel: 8)) == [1, 3])
    }
}
