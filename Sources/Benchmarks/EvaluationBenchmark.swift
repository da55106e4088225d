import ActivationPipeline
import Evaluation
import LanguageModel
package import LinearAlgebra
import SparseCoding
import Tokenization

/// Measures the cost of evaluating one dictionary, in forward passes of its model.
package struct EvaluationBenchmark: Sendable {
    /// The model's folder.
    package var model: String
    /// Tokens of a pass.
    package var tokens: Int
    /// Tokens of a sequence.
    package var context: Int
    /// Latents of the dictionary.
    package var latents: Int
    /// Active latents of a token.
    package var k: Int
    /// How often it is timed; the medians count.
    package var repeats: Int

    /// Describes a benchmark.
    package init(model: String, tokens: Int, context: Int, latents: Int, k: Int, repeats: Int = 3) {
        self.model = model
        self.tokens = tokens
        self.context = context
        self.latents = latents
        self.k = k
        self.repeats = repeats
    }

    /// The measurements.
    package struct Result: Sendable {
        /// Seconds of a pass of the model to the logits of all tokens.
        package let forwardSeconds: Double
        /// Seconds of evaluating a RouteSAE on the same tokens.
        package let evaluationSeconds: Double
        /// The second over the first.
        package let ratio: Double
    }

    /// Times evaluation on random token ids.
    ///
    /// - Throws: `WorkflowError.usage`, and what opening the model throws.
    package func run(workers: Workers, progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }) throws -> Result {
        try ModelFolder.checkIsFolder(model)
        let model = try LanguageModel(directory: model, workers: workers)
        let shape = model.configuration
        guard (2...shape.maximumPositions).contains(context), (2...1 << 24).contains(tokens), repeats > 0 else {
            throw WorkflowError.usage(
                "`context` has to be 2 … \(shape.maximumPositions), `tokens` from 2, `repeats` from 1")
        }

        let configuration = try DictionaryConfiguration(
            dModel: shape.dModel, latents: latents, k: k,
            layers: DictionaryConfiguration.routedLayers(ofModelWith: shape.layerCount))
        let weights = DictionaryWeights(configuration, seed: 1)
        var generator = CounterGenerator(seed: 0, stream: "benchmark")
        let segments = stride(from: 0, to: tokens, by: context).enumerated().map { number, start in
            TokenSegment(
                document: number, index: 0, start: 0,
                tokens: (start..<min(start + context, tokens)).map { _ in
                    Int32(truncatingIfNeeded: generator.index(below: shape.vocabularySize))
                }, prefix: 1)
        }

        let batch = try TokenBatch(sequences: segments.map(\.tokens))
        let clock = ContinuousClock()
        var (forward, evaluation): ([Double], [Double]) = ([], [])
        let settings = EvaluationSettings(model: self.model, resamples: 1)
        for round in 0...repeats {
            let bare = try clock.measure {
                let last = try model.residualStreams(of: batch, layers: [shape.layerCount - 1]).values
                let block = EvaluationPass.rowsOfLogits(vocabulary: shape.vocabularySize)
                for start in stride(from: 0, to: tokens, by: block) {
                    let rows = Matrix(rows: min(block, tokens - start), columns: shape.dModel)
                    rows.pointer.update(from: last.row(start), count: rows.count)
                    _ = try model.unembed(rows, applyingFinalNorm: true)
                }
            }

            let whole = try clock.measure {
                let one = DictionaryEvaluation(configuration, weights, dictionaryID: 0, runID: 0, workers: workers)
                let pass = EvaluationPass([one], model: model, settings: settings, workers: workers)
                try pass.read(segments)
            }
            // The first time warms caches and pages up, and does not count.
            if round > 0 {
                forward.append(bare / .seconds(1))
                evaluation.append(whole / .seconds(1))
            }
            progress(round, repeats)
        }
        return Result(
            forwardSeconds: median(forward), evaluationSeconds: median(evaluation),
            ratio: median(zip(evaluation, forward).map { $0 / $1 }))
    }
}
