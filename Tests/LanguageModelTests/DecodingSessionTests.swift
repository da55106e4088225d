import LanguageModel
import LinearAlgebra
import TestSupport
import Testing

/// Decoding with a KV cache has the bits of full passes.
@Suite struct DecodingSessionTests {
    private func randomTokens(_ count: Int, vocabulary: Int, seed: UInt64 = 3) -> [Int32] {
        var generator = CounterGenerator(seed: seed)
        return (0..<count).map { _ in Int32(generator.index(below: vocabulary)) }
    }

    /// Logits and streams of all positions, the sequence being appended in pieces.
    private func decode(
        _ model: LanguageModel, _ tokens: [Int32], pieces: [Int], editing: ResidualEdit? = nil
    ) throws -> (logits: [Float], streams: [Float]) {
        let session = try DecodingSession(model, capacity: tokens.count)
        let layers = Array(0..<model.configuration.layerCount)
        var (logits, streams): ([Float], [Float]) = ([], [])
        var first = 0
        for piece in pieces {
            let step = try session.append(
                Array(tokens[first..<first + piece]), layers: layers, logits: .all, editing: editing)
            logits += step.logits.elements
            streams += step.streams.values.elements
            first += piece
        }
        #expect(session.tokens == tokens)
        return (logits, streams)
    }

    /// The sequence whole, in pieces, and token by token, against the full pass.
    private func check(_ model: LanguageModel, _ tokens: [Int32], _ label: String, editing: ResidualEdit? = nil) throws
    {
        let batch = try TokenBatch(sequences: [tokens])
        let layers = Array(0..<model.configuration.layerCount)
        let logits = try model.logits(of: batch, editing: editing).elements
        let streams = try model.residualStreams(of: batch, layers: layers, editing: editing).values.elements
        let n = tokens.count
        let single = [Int](repeating: 1, count: n)
        for pieces in [[n], [n / 2, 1, n - n / 2 - 1], single] {
            let decoded = try decode(model, tokens, pieces: pieces, editing: editing)
            #expect(
                decoded.logits.map(\.bitPattern) == logits.map(\.bitPattern), "\(label), \(pieces.count) pieces: logits"
            )
            #expect(decoded.streams.map(\.bitPattern) == streams.map(\.bitPattern), "\(label), \(pieces.count) pieces")
        }
    }

    /// Those whose frequencies do not depend on the length of a sequence.
    static let models = GoldenTests.models.filter {
        !["llama-dynamic", "llama-dynamic-5", "phi3", "phi3-partial-long"].contains($0)
    }

    @Test(
        "A sequence whose frequencies change with its length is run again",
        arguments: ["llama-dynamic", "phi3", "phi3-partial-long"])
    func changingFrequencies(_ name: String) throws {
        let model = try LanguageModel(directory: fixture("models/\(name)"), workers: Workers(threads: 2))
        let tokens = randomTokens(44, vocabulary: model.configuration.vocabularySize)
        let editing: ResidualEdit = { layer, residual in
            if layer == 1 { for row in 0..<residual.rows { residual[row, 0] += 0.5 } }
        }
        let session = try DecodingSession(model, capacity: 44)
        var first = 0
        for piece in [20, 1, 10, 1, 1, 1, 3, 7] {
            let step = try session.append(
                Array(tokens[first..<first + piece]), layers: [0, 2], editing: editing)
            first += piece
            let batch = try TokenBatch(sequences: [Array(tokens[..<first])])
            let whole = try model.logits(of: batch, rows: .lastOfEachSequence, editing: editing)
            #expect(step.logits.elements == whole.elements, "\(first) tokens")
            #expect(step.streams.tokens == first - step.firstPosition)
            #expect(step.firstPosition == first - piece || step.firstPosition == 0)
            let streams = try model.residualStreams(of: batch, layers: [0, 2], editing: editing)
            #expect(
                Array(step.streams.stream(token: step.streams.tokens - 1, slot: 1))
                    == Array(streams.stream(token: first - 1, slot: 1)))
        }
        // Cut back below the border, it begins with the first frequencies again.
        session.rewind(to: 10)
        let step = try session.append([tokens[10]])
        let batch = try TokenBatch(sequences: [Array(tokens[..<11])])
        let whole = try LanguageModel(directory: fixture("models/\(name)"), workers: Workers(threads: 1))
            .logits(of: batch, rows: .lastOfEachSequence)
        #expect(step.logits.elements == whole.elements)
    }

    @Test("Every position equals the full pass", arguments: models, [WeightResidency.resident, .streamed])
    func everyPositionEqualsTheFullPass(_ name: String, _ residency: WeightResidency) throws {
        let model = try LanguageModel(
            directory: fixture("models/\(name)"), workers: Workers(threads: 2), residency: residency)
        let length = min(40, model.configuration.maximumPositions)
        try check(model, randomTokens(length, vocabulary: model.configuration.vocabularySize), name)
    }

    static let changes: [[String: any Sendable]] = [
        ["attention_bias": true, "mlp_bias": true, "tie_word_embeddings": true],
        ["hidden_size": 36, "num_attention_heads": 9, "num_key_value_heads": 1, "head_dim": 6],
        ["head_dim": 40, "num_key_value_heads": 4],
        ["model_type": "mistral", "sliding_window": 1],
        ["model_type": "mistral", "sliding_window": 16],
        ["model_type": "mistral", "sliding_window": 70],
        ["model_type": "qwen2", "use_sliding_window": true, "sliding_window": 11, "max_window_layers": 2],
        ["model_type": "qwen3", "head_dim": 8],
        // Gates and values that begin with panels, which threads take side by side.
        ["intermediate_size": 192, "mlp_bias": true, "attention_bias": true],
        ["intermediate_size": 128, "hidden_act": "gelu", "residual_multiplier": 0.5, "model_type": "granite"],
    ]

    /// Sequences longer than a tile of attention, windows in some layers, sizes that are no multiple of a vector.
    @Test("Every sequence length equals the full pass", arguments: changes.indices)
    func everySizeEqualsTheFullPass(_ index: Int) throws {
        let scratch = try ScratchModel(Self.changes[index].mapValues { $0 as Any? })
        let model = try LanguageModel(directory: scratch.write(), workers: Workers(threads: 2))
        try check(model, randomTokens(150, vocabulary: 50), "\(Self.changes[index])")
    }

    /// An edit of a token's stream affects all later tokens, also those appended later.
    @Test("Edits persist in the KV cache") func editsStayInWhatIsKept() throws {
        let scratch = try ScratchModel()
        let model = try LanguageModel(directory: scratch.write(), workers: Workers(threads: 2))
        let edit: ResidualEdit = { layer, residual in
            if layer == 1 { for index in 0..<residual.count { residual.pointer[index] *= 1.25 } }
        }
        try check(model, randomTokens(30, vocabulary: 50), "edited", editing: edit)
        let tokens = randomTokens(3, vocabulary: 50)
        let plain = try decode(model, tokens, pieces: [2, 1]).logits.suffix(50)
        let session = try DecodingSession(model, capacity: 3)
        _ = try session.append(Array(tokens.prefix(2)), editing: edit)
        let later = try session.append([tokens[2]]).logits.elements
        #expect(later != Array(plain))
    }

    @Test func bitsDoNotDependOnThreadsOrResidency() throws {
        let scratch = try ScratchModel([
            "vocab_size": 5000, "intermediate_size": 1100, "hidden_size": 96, "head_dim": 24,
        ])
        let directory = try scratch.write()
        let tokens = randomTokens(20, vocabulary: 5000)
        func bits(_ threads: Int, _ residency: WeightResidency) throws -> [UInt32] {
            let model = try LanguageModel(
                directory: directory, workers: Workers(threads: threads), residency: residency)
            let pieces = [12] + [Int](repeating: 1, count: 8)
            let decoded = try decode(model, tokens, pieces: pieces)
            return (decoded.logits + decoded.streams).map(\.bitPattern)
        }

        let expected = try bits(1, .resident)
        for threads in [1, 2, 3, 5] {
            #expect(try bits(threads, .resident) == expected, "\(threads) threads")
            #expect(try bits(threads, .streamed) == expected, "\(threads) threads, streamed")
        }
    }

    @Test("Rewinding leaves nothing behind") func whatWasRewoundLeavesNothing() throws {
        let scratch = try ScratchModel()
        let model = try LanguageModel(directory: scratch.write(), workers: Workers(threads: 2))
        let session = try DecodingSession(model, capacity: 12)
        _ = try session.append([1, 2, 3])
        let expected = try session.append([4]).logits.elements
        session.rewind(to: 3)
        for token in [9, 8, 7, 6] as [Int32] { _ = try session.append([token]) }
        session.rewind(to: 3)
        #expect(session.tokens == [1, 2, 3])
        #expect(try session.append([4]).logits.elements == expected)
    }

    @Test func lengthsTokensAndLayersAreChecked() throws {
        let scratch = try ScratchModel(["max_position_embeddings": 8])
        let model = try LanguageModel(directory: scratch.write(), workers: Workers(threads: 2))
        #expect(throws: LanguageModelError.sequenceTooLong(index: 0, length: 9, maximum: 8)) {
            try DecodingSession(model, capacity: 9)
        }

        let session = try DecodingSession(model)
        #expect(session.capacity == 8)
        func fails(_ tokens: [Int32], layers: [Int] = [], with error: LanguageModelError) {
            #expect(throws: error) { try session.append(tokens, layers: layers) }
            #expect(session.tokens == [1, 2, 3, 4, 5, 6, 7])
        }
        _ = try session.append([1, 2, 3, 4, 5, 6, 7])
        fails([1, 2], with: .sequenceTooLong(index: 0, length: 9, maximum: 8))
        fails([], with: .emptySequence(index: 0))
        fails([50], with: .tokenOutOfRange(token: 50, position: 0, vocabularySize: 50))
        fails([1], layers: [3], with: .noSuchLayer(layer: 3, layerCount: 3))
        struct Refusal: Error {}
        #expect(throws: Refusal.self) { try session.append([1], editing: { _, _ in throw Refusal() }) }
        let whole = try DecodingSession(model).append([1, 2, 3, 4, 5, 6, 7, 8]).logits.elements
        #expect(try session.append([8]).logits.elements == whole)
        #expect(throws: LanguageModelError.sequenceTooLong(index: 0, length: 9, maximum: 8)) {
            try session.append([1])
        }
    }
}
