import LanguageModel
import LinearAlgebra
import TestSupport
import Testing

/// The forward pass against the token-by-token reference, where the golden files do not reach: sequences longer than a
/// tile of attention and than a block of rows, windows in some layers, sizes that are no multiple of a vector.
@Suite struct ReferenceTests {
    /// Sequences of every kind of length: one token, a whole tile, a tile and a bit, several tiles.
    static let lengths = [1, 64, 65, 150, 7]

    static func sequences(vocabulary: Int, seed: UInt64 = 5) -> [[Int32]] {
        var generator = CounterGenerator(seed: seed)
        return lengths.map { length in (0..<length).map { _ in Int32(generator.index(below: vocabulary)) } }
    }

    private func check(
        _ scratch: ScratchModel, _ reference: ReferenceDecoder, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let model = try LanguageModel(directory: scratch.write(), workers: Workers(threads: 2))
        let sequences = Self.sequences(vocabulary: scratch.int("vocab_size"))
        let batch = try TokenBatch(sequences: sequences)
        let streams = try model.residualStreams(of: batch, layers: Array(0..<model.configuration.layerCount))
        let logits = try model.logits(of: batch)
        for (index, sequence) in sequences.enumerated() {
            let expected = reference.run(sequence)
            let range = batch.range(ofSequence: index)
            for layer in expected.layers.indices {
                expectClose(
                    range.flatMap { Array(streams.stream(token: $0, slot: layer)) },
                    expected.layers[layer].flatMap { $0.map(Float.init) }, relative: 2e-5,
                    "sequence \(index) layer \(layer)", sourceLocation: sourceLocation)
            }

            let vocabulary = model.configuration.vocabularySize
            expectClose(
                Array(logits.elements[range.lowerBound * vocabulary..<range.upperBound * vocabulary]),
                expected.logits.flatMap { $0.map(Float.init) }, relative: 2e-5, "sequence \(index) logits",
                sourceLocation: sourceLocation)
        }
    }

    @Test func llama() throws {
        let scratch = try ScratchModel()
        try check(scratch, ReferenceDecoder(scratch))
    }

    @Test func llamaWithBiasesAndTiedEmbeddings() throws {
        let scratch = try ScratchModel(["attention_bias": true, "mlp_bias": true, "tie_word_embeddings": true])
        try check(scratch, ReferenceDecoder(scratch))
    }

    @Test func oneKeyHeadForMany() throws {
        let scratch = try ScratchModel([
            "hidden_size": 36, "num_attention_heads": 9, "num_key_value_heads": 1, "head_dim": 6,
        ])
        try check(scratch, ReferenceDecoder(scratch))
    }

    @Test func wideHeads() throws {
        let scratch = try ScratchModel(["head_dim": 40, "num_key_value_heads": 4])
        try check(scratch, ReferenceDecoder(scratch))
    }

    @Test func linearScaling() throws {
        let scratch = try ScratchModel(["rope_scaling": ["type": "linear", "factor": 4.0]])
        try check(scratch, ReferenceDecoder(scratch, stretchedBy: 4))
    }

    /// A window of 1 sees nothing but the token itself; 70 is longer than a tile.
    @Test(arguments: [1, 5, 16, 64, 70, 400])
    func mistralWindow(_ window: Int) throws {
        let scratch = try ScratchModel(["model_type": "mistral", "sliding_window": window])
        try check(scratch, ReferenceDecoder(scratch, windows: [window, window, window]))
    }

    @Test func qwen2WindowInSomeLayers() throws {
        let scratch = try ScratchModel([
            "model_type": "qwen2", "use_sliding_window": true, "sliding_window": 11, "max_window_layers": 2,
        ])
        try check(scratch, ReferenceDecoder(scratch, windows: [nil, nil, 11]))
    }

    @Test func qwen3LayerTypes() throws {
        let scratch = try ScratchModel([
            "model_type": "qwen3", "head_dim": 8, "use_sliding_window": true, "sliding_window": 20,
            "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
        ])
        try check(scratch, ReferenceDecoder(scratch, windows: [20, nil, 20]))
    }
}
