import LinearAlgebra
import SparseCoding
import Testing
import Vocabulary

/// The layer drawn for a token by `random`: uniform over tokens, and dependent on the token only.
@Suite struct DrawnLayerTests {
    private func encoder(layers: [Int]) throws -> DictionaryEncoder {
        let configuration = try DictionaryConfiguration(
            architecture: .random, dModel: 8, latents: 16, k: 2, layers: layers)
        return DictionaryEncoder(
            configuration: configuration, weights: DictionaryWeights(configuration, seed: 1),
            workers: Workers(threads: 2))
    }

    /// Σ (found − expected)² / expected.
    private func chiSquare(_ counts: [Int]) -> Double {
        let expected = Double(counts.reduce(0, +)) / Double(counts.count)
        return counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
    }

    /// The bound that a chi-square of so many degrees of freedom exceeds once in ten thousand times (Wilson & Hilferty
    /// 1931). The keys are fixed, so this passes always or never.
    private func bound(_ degrees: Double) -> Double {
        let root = 1 - 2 / (9 * degrees) + 3.72 * (2 / (9 * degrees)).squareRoot()
        return degrees * root * root * root
    }

    @Test(arguments: [2, 3, 5, 9, 12]) func isUniform(layers: Int) throws {
        let encoder = try encoder(layers: Array(0..<layers))
        var counts = Array(repeating: 0, count: layers)
        var pairs = Array(repeating: 0, count: layers * layers)
        var starts = counts
        for document in 0..<100 {
            var before = 0
            for position in 0..<600 {
                let layer = encoder.drawnLayer(ActivationBatch.drawKey(document: document, position: position))
                counts[layer] += 1
                // Neighbours, each pair apart from the last.
                if position % 2 == 1 { pairs[before * layers + layer] += 1 }
                before = layer
            }
        }
        // The same position of many documents.
        for document in 0..<60_000 {
            starts[encoder.drawnLayer(ActivationBatch.drawKey(document: document, position: 0))] += 1
        }
        #expect(chiSquare(counts) < bound(Double(layers - 1)), "\(counts)")
        #expect(chiSquare(starts) < bound(Double(layers - 1)), "\(starts)")
        #expect(chiSquare(pairs) < bound(Double(layers * layers - 1)), "\(pairs)")
    }

    @Test("The drawn layer is the hash's share of the range") func isTheHashesShareOfTheRange() throws {
        let encoder = try encoder(layers: [2, 4, 6, 7, 11])
        var generator = CounterGenerator(seed: 1)
        for key in [0, 1, .max, 1 << 63] + (0..<1000).map({ _ in generator.next() }) {
            #expect(encoder.drawnLayer(key) == NaiveDictionaryEncoding.drawnLayer(key, layers: 5))
        }
    }

    /// Only the key counts: not the position in the batch, nor its size or content.
    @Test("The drawn layer depends on the token only") func belongsToTheToken() throws {
        let encoder = try encoder(layers: [3, 5, 9])
        let batch = keyedBatch(count: 200, layers: [3, 5, 9], dModel: 8, seed: 1)
        func selected(_ batch: ActivationBatch) throws -> [Int32] {
            let input = AutoencoderInput(capacity: batch.count, configuration: encoder.configuration)
            try encoder.read(batch, into: input)
            return (0..<batch.count).map { input.selected[$0] }
        }

        let whole = try selected(batch)
        var order = Array(0..<200)
        var generator = CounterGenerator(seed: 2)
        generator.shuffle(&order)
        let other = ActivationBatch(capacity: 70, layers: [3, 5, 9], dModel: 8)
        for row in 0..<70 { other.copyRow(row, from: batch, row: order[row]) }
        other.count = 70
        #expect(try selected(other) == order.prefix(70).map { whole[$0] })
        for token in 0..<70 { other.drawKeys[token] = batch.drawKeys[5] }
        #expect(try selected(other) == Array(repeating: whole[5], count: 70))
    }

    @Test("Keys of different positions differ") func keysOfDifferentPlacesDiffer() {
        var keys = Set<UInt64>()
        for document in 0..<300 {
            for position in 0..<300 { keys.insert(ActivationBatch.drawKey(document: document, position: position)) }
        }
        #expect(keys.count == 90_000)
    }
}
