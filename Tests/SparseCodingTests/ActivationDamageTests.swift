import LinearAlgebra
import SparseCoding
import Testing
import Vocabulary

/// Damage in a dictionary's input is found; elsewhere it does not matter.
@Suite struct ActivationDamageTests {
    private static let damages: [Float] = [.nan, .infinity, -.infinity, 1e30, -1e30, 3e38]

    @Test("Damage is found where it is read", arguments: System.all) func isFoundWhereItIsRead(system: System) throws {
        let configuration = try system.configuration()
        let encoder = DictionaryEncoder(
            configuration: configuration, weights: livelyWeights(configuration, seed: 3), workers: Workers(threads: 2))
        let input = AutoencoderInput(capacity: 70, configuration: configuration)
        for (position, layer) in [3, 4, 5, 9].enumerated() {
            for bad in Self.damages {
                let batch = keyedBatch(count: 70, layers: [3, 4, 5, 9], dModel: 21, seed: 4)
                batch.values[66, position * 21 + 7] = bad
                let isRead =
                    system.architecture == .random
                    ? configuration.layers[encoder.drawnLayer(batch.drawKeys[66])] == layer
                    : configuration.layers.contains(layer)
                var error: SparseCodingError?
                do { try encoder.read(batch, into: input) } catch let thrown { error = thrown }
                let expected = SparseCodingError.notFinite(what: "an activation of layers \(configuration.layers)")
                #expect(error == (isRead ? expected : nil), "\(bad) in layer \(layer)")
            }
        }
    }

    /// Rows beyond the count are not part of the batch.
    @Test("Rows beyond the batch do not matter", arguments: System.all)
    func doesNotMatterBeyondTheCount(system: System) throws {
        let configuration = try system.configuration()
        let encoder = DictionaryEncoder(
            configuration: configuration, weights: livelyWeights(configuration, seed: 3), workers: Workers(threads: 2))
        let input = AutoencoderInput(capacity: 70, configuration: configuration)
        let batch = keyedBatch(count: 70, layers: [3, 5, 9], dModel: 21, seed: 4)
        for column in 0..<63 { batch.values[69, column] = .nan }
        batch.count = 69
        try encoder.read(batch, into: input)
        batch.count = 70
        #expect(throws: SparseCodingError.self) { try encoder.read(batch, into: input) }
    }

    /// A constant activation standardises to zero and large ones within fp32's range to something.
    @Test("Large and constant activations are not damage", arguments: System.all)
    func whatIsLargeOrConstantIsNoDamage(system: System) throws {
        let configuration = try system.configuration()
        let encoder = DictionaryEncoder(
            configuration: configuration, weights: livelyWeights(configuration, seed: 3), workers: Workers(threads: 1))
        let input = AutoencoderInput(capacity: 4, configuration: configuration)
        let batch = keyedBatch(count: 4, layers: [3, 5, 9], dModel: 21, seed: 4)
        for column in 0..<63 {
            batch.values[1, column] = 8
            batch.values[2, column] *= 1e15
        }
        try encoder.read(batch, into: input)
        #expect((0..<input.centered.count).allSatisfy { input.centered.pointer[$0].isFinite })
        let samples = configuration.samplesPerToken
        #expect((0..<configuration.parts).allSatisfy { input.squaredNorm[samples, $0] == 0 })
    }

    @Test(arguments: System.all) func activationsThatDoNotFitAreRefused(system: System) throws {
        let configuration = try system.configuration()
        let encoder = DictionaryEncoder(
            configuration: configuration, weights: livelyWeights(configuration, seed: 3), workers: Workers(threads: 1))
        let input = AutoencoderInput(capacity: 4, configuration: configuration)
        #expect(throws: SparseCodingError.layer(asked: 5, available: [3, 4, 9])) {
            try encoder.read(keyedBatch(count: 4, layers: [3, 4, 9], dModel: 21, seed: 1), into: input)
        }
        #expect(
            throws: SparseCodingError.setting(
                name: "the width of the activations", found: "20", allowed: "21, the dictionary's")
        ) {
            try encoder.read(keyedBatch(count: 4, layers: [3, 5, 9], dModel: 20, seed: 1), into: input)
        }
    }
}
