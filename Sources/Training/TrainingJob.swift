package import ActivationPipeline
import FeatureCatalog
import Foundation
package import LinearAlgebra
import SparseCoding
import SparseTraining

/// A validated training job: any number of dictionaries that learn from one stream. Nothing is written yet.
package struct TrainingJob {
    /// The dictionaries.
    package let plans: [TrainingPlan]
    /// Steps of the run.
    package let steps: Int
    let source: TrainingSource
    let inputs: [RunInput]

    /// The files it reads.
    package var paths: [String] { source.paths + plans.compactMap(\.settings.initialWeights) }
    /// Warnings about the text, such as replaced bytes: whole lines.
    package var remarks: [String] { source.corpus?.remarks ?? [] }
    /// Tokens of a step.
    var batchTokens: Int { plans[0].settings.batchTokens }
    /// The layers that the stream delivers.
    var layers: [Int] { Set(plans.flatMap(\.configuration.layers)).sorted() }

    /// Checks settings and opens inputs.
    ///
    /// - Parameters:
    ///   - settings: one for each dictionary; all of them name the same stream.
    ///   - given: the activations, where the settings name neither a model nor files.
    ///   - input: where a stream of activations comes from, where the settings' `activations` is `-`.
    ///   - weightsOutput: where to write the weights of an only dictionary as safetensors besides, or nil.
    ///   - overwritingWeights: whether an existing file there is replaced.
    /// - Throws: `WorkflowError`, `SparseCodingError`, `TrainingError`, `SafetensorsError`, `LanguageModelError` and
    ///   `TokenizerError`.
    package init(
        _ settings: [TrainingSettings], given: GivenActivations? = nil, input: StreamInput = StreamInput(),
        workers: Workers, weightsOutput: String? = nil, overwritingWeights: Bool = false
    ) throws {
        guard let first = settings.first else { throw WorkflowError.usage("there is no dictionary to train") }
        let steps = try first.stepCount()
        if let other = settings.firstIndex(where: { !$0.sharesStream(with: first) }) {
            throw WorkflowError.usage(
                "dictionary \(other + 1) does not learn from the same stream as the first (source, batch, length, "
                    + "shuffling or BOS differ); a sweep trains all on one. The reference reads BOS, the corrected mode "
                    + "does not: set includesBOS for both, or train them apart")
        }

        let names = settings.compactMap(\.name)
        if let twice = names.first(where: { name in names.filter { $0 == name }.count > 1 }) {
            throw WorkflowError.usage("two dictionaries are named \"\(twice)\"; name them apart")
        }

        let source = try given.map(TrainingSource.given) ?? TrainingSource(first, input: input, workers: workers)
        if let weightsOutput {
            try OutputFile.check(
                weightsOutput, overwriting: overwritingWeights,
                inputs: source.paths + settings.compactMap(\.initialWeights))
        }
        self.steps = steps
        self.source = source
        plans = try settings.map {
            try TrainingPlan($0, source: source, steps: steps, weightsOutput: weightsOutput)
        }
        try TrainingMemory(plans, source: source, workers: workers).check()
        try source.probe(layers: Set(plans.flatMap(\.configuration.layers)).sorted(), settings: first)
        inputs = try source.inputs + Self.initialWeights(of: settings)
    }

    /// The initial weights of dictionaries, by digest.
    private static func initialWeights(of settings: [TrainingSettings]) throws -> [RunInput] {
        try Set(settings.compactMap(\.initialWeights)).sorted().map { path in
            let (digest, bytes) = try sha256(ofFile: path)
            return RunInput(
                role: "initial_weights", name: URL(filePath: path).lastPathComponent, sha256: digest, bytes: bytes)
        }
    }

    /// `inputs` as versions up to 0.1 recorded them.
    func formerInputs() throws -> [[RunInput]] {
        let weights = try Self.initialWeights(of: plans.map(\.settings))
        return try source.formerInputs().map { $0 + weights }
    }
}
