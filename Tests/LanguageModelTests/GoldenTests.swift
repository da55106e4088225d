import LanguageModel
import LinearAlgebra
import Safetensors
import TestSupport
import Testing

/// The forward pass against tensors that PyTorch computed (`tools/make_model_fixtures.py`).
@Suite struct GoldenTests {
    static let models = [
        "llama3", "llama-untied", "mistral", "qwen2", "qwen3", "olmo", "stablelm", "starcoder2", "gemma", "gemma2",
        "gemma3", "gemma3-nested", "gemma3_text", "gemma3_text-pattern", "gpt2", "gpt2-bare", "gpt_neo", "gpt_neox",
        "gpt_neox-serial", "gptj", "granite", "llama-dynamic", "llama-dynamic-5", "llama-gelu", "llama-gelu-tanh",
        "llama-linear", "llama-linear-5", "llama-relu", "llama-yarn", "llama-yarn-5", "llama-yarn-factor", "olmo2",
        "phi", "phi3", "phi3-partial", "phi3-partial-long", "smollm3",
    ]
    /// Two fp32 computations round in different places: both deviate by about 1e-6 from float64.
    static let tolerance: Float = 5e-6

    private func golden(_ name: String) throws -> SafetensorsFile {
        try SafetensorsFile(path: fixture("models/\(name)/golden.safetensors"))
    }

    private func tokens(_ name: String, _ file: SafetensorsFile) throws -> [Int32] {
        try file.integers(name).map { try #require(Int32(exactly: $0)) }
    }

    /// Both golden sequences in one batch, the expected streams beside each other.
    @Test(arguments: models, [WeightResidency.resident, .streamed])
    func residualStreams(_ name: String, _ residency: WeightResidency) throws {
        let golden = try self.golden(name)
        let model = try LanguageModel(
            directory: fixture("models/\(name)"), workers: Workers(threads: 2), residency: residency)
        let sequences = [try tokens("token_ids", golden), try tokens("token_ids_2", golden)]
        let (d, n) = (model.configuration.dModel, model.configuration.layerCount)
        let streams = try model.residualStreams(of: TokenBatch(sequences: sequences), layers: Array(0..<n))
        #expect(streams.tokens == sequences[0].count + sequences[1].count)

        for (index, tensor) in ["residual", "residual_2"].enumerated() {
            let expected = try golden.floats(tensor)
            let count = sequences[index].count
            let first = index == 0 ? 0 : sequences[0].count
            try #require(expected.count == n * count * d)
            for layer in 0..<n {
                let actual = (first..<first + count).flatMap { Array(streams.stream(token: $0, slot: layer)) }
                expectClose(
                    actual, Array(expected[layer * count * d..<(layer + 1) * count * d]), relative: Self.tolerance,
                    "\(name) \(tensor) layer \(layer)")
            }
        }
    }

    @Test(arguments: models, [WeightResidency.resident, .streamed])
    func logits(_ name: String, _ residency: WeightResidency) throws {
        let golden = try self.golden(name)
        let model = try LanguageModel(
            directory: fixture("models/\(name)"), workers: Workers(threads: 2), residency: residency)
        let sequences = [try tokens("token_ids_2", golden), try tokens("token_ids", golden)]
        let batch = try TokenBatch(sequences: sequences)
        let logits = try model.logits(of: batch)
        let expected = try golden.floats("logits_2") + golden.floats("logits")
        expectClose(logits.elements, expected, relative: Self.tolerance, "\(name) logits")

        let last = try model.logits(of: batch, rows: .lastOfEachSequence)
        let vocabulary = model.configuration.vocabularySize
        let ends = [sequences[0].count, batch.tokens.count]
        expectClose(
            last.elements, ends.flatMap { expected[($0 - 1) * vocabulary..<$0 * vocabulary] },
            relative: Self.tolerance, "\(name) last logits")
    }

    @Test(arguments: models)
    func greedyContinuation(_ name: String) throws {
        let golden = try self.golden(name)
        let model = try LanguageModel(directory: fixture("models/\(name)"), workers: Workers(threads: 1))
        let expected = try tokens("greedy_ids", golden)
        let prompt = Array(try tokens("token_ids", golden).prefix(5))
        #expect(try model.greedy(prompt: prompt, count: expected.count) == expected)
        #expect(try model.greedy(prompt: prompt, count: 5, stopTokens: [expected[0]]) == [expected[0]])
    }
}
