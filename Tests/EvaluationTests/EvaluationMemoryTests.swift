import Evaluation
import LinearAlgebra
import SparseCoding
import Testing
import Vocabulary

@Suite struct EvaluationMemoryTests {
    private let memory = EvaluationMemory(layers: 8, dModel: 64, tokens: 512, workers: 2)

    private func dictionary(
        _ architecture: Architecture = .topk, latents: Int = 4096, k: Int? = 32, layers: [Int] = [3]
    ) throws -> DictionaryConfiguration {
        try DictionaryConfiguration(architecture: architecture, dModel: 64, latents: latents, k: k, layers: layers)
    }

    @Test("Memory is counted from the matrices of a batch") func countsWhatTheMatricesOfAReadBatchHold() throws {
        for configuration in [
            try dictionary(), try dictionary(.route, layers: [2, 3, 4]), try dictionary(.mlsae, layers: [2, 3, 4]),
            try dictionary(.crosscoder, layers: [2, 3, 4]), try dictionary(.vanilla, k: nil),
        ] {
            let input = AutoencoderInput(capacity: 512, configuration: configuration)
            let latents = SparseLatents(capacity: 512, configuration: configuration)
            let weights = 2 * configuration.latents * configuration.inputWidth
            let held =
                input.centered.rows * input.centered.columns + input.summary.rows * input.summary.columns
                + 2 * latents.capacity * latents.width + weights
            let counted = memory.floats(configuration)
            #expect(counted > Double(held))
            // The rest is sums of documents, replacements and tiles.
            #expect(counted < Double(held) + 256 * 4 * 5 * 192 + 512 * 4 * 64 + 2 * 260 * 4096 + 512 * 4 * 12)
        }
    }

    @Test("Dictionaries share a pass while they fit in memory") func dictionariesShareAPassWhileTheyFit() throws {
        let small = try dictionary(latents: 128)
        #expect(memory.groups(of: Array(repeating: small, count: 40)) == [0..<16, 16..<32, 32..<40])
        #expect(memory.groups(of: []) == [])
        // Of 2 · 64 · 2²⁰ floats each no two fit together; alone they may.
        let large = try dictionary(latents: 1 << 20)
        #expect(memory.groups(of: [small, large, small, small, large]) == [0..<1, 1..<2, 2..<4, 4..<5])
    }
}
