import LanguageModel
import LinearAlgebra
import TestSupport
import Testing

/// A token's residual streams and logits depend only on the tokens before it in its sequence, to the bit:
/// not on other sequences, on the end of its sequence, on how it was divided for decoding, or on threads.
@Suite struct BatchInvarianceTests {
    /// The result of a sequence by itself.
    private struct Sequence {
        let tokens: [Int32]
        let streams: [UInt32]
        let logits: [UInt32]
    }

    private static let variants: [[String: any Sendable]] = [
        [:],
        [
            "hidden_size": 36, "num_attention_heads": 9, "num_key_value_heads": 1, "head_dim": 6,
            "intermediate_size": 67,
        ],
        [
            "hidden_size": 272, "intermediate_size": 530, "head_dim": 68, "num_key_value_heads": 4,
            "attention_bias": true,
        ],
        ["model_type": "mistral", "sliding_window": 5],
        ["model_type": "mistral", "sliding_window": 33, "head_dim": 40],
        ["model_type": "qwen2", "use_sliding_window": true, "sliding_window": 70, "max_window_layers": 1],
        ["model_type": "qwen3", "head_dim": 8, "vocab_size": 1100],
    ]

    private func bits(_ elements: some Swift.Sequence<Float>) -> [UInt32] { elements.map(\.bitPattern) }

    private func random(_ generator: inout CounterGenerator, _ count: Int, vocabulary: Int) -> [Int32] {
        (0..<count).map { _ in Int32(generator.index(below: vocabulary)) }
    }

    private func alone(_ tokens: [Int32], _ model: LanguageModel, _ layers: [Int]) throws -> Sequence {
        let batch = try TokenBatch(sequences: [tokens])
        return Sequence(
            tokens: tokens, streams: bits(try model.residualStreams(of: batch, layers: layers).values.elements),
            logits: bits(try model.logits(of: batch).elements))
    }

    @Test("A token does not depend on the rest of its batch", arguments: variants.indices)
    func aTokenDoesNotSeeItsCompany(_ index: Int) throws {
        let scratch = try ScratchModel(Self.variants[index].mapValues { $0 as Any? })
        let directory = try scratch.write()
        let models = try [1, 2, 3].map { try LanguageModel(directory: directory, workers: Workers(threads: $0)) }
        let vocabulary = models[0].configuration.vocabularySize
        let layers = Array(0..<models[0].configuration.layerCount)
        let d = models[0].configuration.dModel * layers.count
        var generator = CounterGenerator(seed: UInt64(index), stream: "batches")
        let lengths =
            [1, 2, 15, 16, 17, 63, 64, 65, 130, 257, 300, 560] + (0..<4).map { _ in 1 + generator.index(below: 90) }
        let sequences = try lengths.map {
            try alone(random(&generator, $0, vocabulary: vocabulary), models[0], layers)
        }
        for round in 0..<12 {
            var order = Array(sequences.indices)
            generator.shuffle(&order)
            // Some of the sequences, in some order, some of them cut short: a prefix has the bits it has in the whole.
            let chosen = order.prefix(1 + generator.index(below: order.count)).map { place in
                let whole = sequences[place]
                let length =
                    generator.index(below: 2) == 0
                    ? whole.tokens.count : 1 + generator.index(below: whole.tokens.count)
                return (whole, length)
            }

            let model = models[generator.index(below: models.count)]
            let batch = try TokenBatch(sequences: chosen.map { Array($0.tokens.prefix($1)) })
            let streams = try model.residualStreams(of: batch, layers: layers).values
            let logits = try model.logits(of: batch)
            for (number, (whole, length)) in chosen.enumerated() {
                let rows = batch.range(ofSequence: number)
                let first = rows.lowerBound
                let values = bits(streams.elements[first * d..<(first + length) * d])
                #expect(values == Array(whole.streams.prefix(length * d)), "round \(round), \(length) tokens")
                let scores = bits(logits.elements[first * vocabulary..<(first + length) * vocabulary])
                #expect(scores == Array(whole.logits.prefix(length * vocabulary)), "round \(round), \(length) tokens")
            }
        }
    }

    @Test("Decoding in pieces equals the full pass bit for bit", arguments: variants.indices)
    func decodingHasTheBitsOfThePassOverTheWhole(_ index: Int) throws {
        let scratch = try ScratchModel(Self.variants[index].mapValues { $0 as Any? })
        let directory = try scratch.write()
        let models = try [1, 2, 3].map { try LanguageModel(directory: directory, workers: Workers(threads: $0)) }
        let layers = Array(0..<models[0].configuration.layerCount)
        var generator = CounterGenerator(seed: UInt64(index), stream: "pieces")
        let whole = try alone(
            random(&generator, 560, vocabulary: models[0].configuration.vocabularySize), models[0], layers)
        for round in 0..<10 {
            let session = try DecodingSession(models[generator.index(below: models.count)], capacity: 560)
            var (streams, logits): ([UInt32], [UInt32]) = ([], [])
            while session.tokens.count < whole.tokens.count {
                let rest = whole.tokens.count - session.tokens.count
                let most = [1, 3, 20, 130][generator.index(below: 4)]
                let piece = whole.tokens.dropFirst(session.tokens.count).prefix(
                    1 + generator.index(below: min(rest, most)))
                let step = try session.append(Array(piece), layers: layers, logits: .all)
                streams += bits(step.streams.values.elements)
                logits += bits(step.logits.elements)
            }
            #expect(streams == whole.streams, "round \(round)")
            #expect(logits == whole.logits, "round \(round)")
        }
    }
}
