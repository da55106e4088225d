import ActivationPipeline
package import FeatureCatalog
import Foundation
package import LinearAlgebra
package import Safetensors
package import SparseCoding
package import SparseTraining
import Vocabulary

/// Trains the dictionaries of a job side by side on one stream and writes them, with every run's whole history, into a
/// catalog: one forward pass of the language model for a batch, however many dictionaries learn from it.
///
/// Each dictionary is a run of its own in the ledger, and equals the dictionary trained alone: its settings include the
/// stream's seed, so `routesae train --config` repeats it by itself.
package struct TrainingRun {
    /// The job.
    package let job: TrainingJob
    /// Workers that run it.
    package let workers: Workers
    /// The checkpoint's path, and how often it is written.
    package let checkpoints: CheckpointPolicy?

    /// Describes a run.
    package init(_ job: TrainingJob, workers: Workers, checkpoints: CheckpointPolicy?) {
        self.job = job
        self.workers = workers
        self.checkpoints = checkpoints
    }

    /// The result for one dictionary.
    package struct Result: Sendable {
        /// The run's number in the catalog.
        package let runID: Int64
        /// The dictionary's number in the catalog.
        package let dictionaryID: Int64
        /// Its name.
        package let name: String
        /// Its architecture, sizes and rules.
        package let configuration: DictionaryConfiguration
        /// The reports of the steps made in this attempt: all of them, unless the run was resumed.
        package let reports: [StepReport]
    }

    /// The result of a job.
    package struct Outcome: Sendable {
        /// The dictionaries that were trained.
        package let results: [Result]
        /// Those that dropped out because their loss was not finite, with reasons.
        package let failures: [(name: String, reason: String)]
    }

    /// Trains and writes.
    ///
    /// - Parameters:
    ///   - resuming: the checkpoint to resume from, or nil to start.
    ///   - cancelled: asked before every step; once true, a checkpoint is written, if any is kept, and the runs end as interrupted.
    ///   - progress: told after every step: the steps done and the reports of the dictionaries still in training.
    /// - Throws: `WorkflowError.interrupted`, `.refused` where the catalog knows the model's weights with another tokenizer
    ///   or the checkpoint is of another job, `SparseCodingError`, `TrainingError`, `CatalogError`, `SafetensorsError`.
    ///   A failed run stays in the ledger, marked so, without a dictionary.
    package func run(
        into catalog: Catalog, resuming: (record: TrainingCheckpoint, file: SafetensorsFile)? = nil,
        cancelled: @escaping () -> Bool = { false },
        progress: (_ step: Int, _ reports: [StepReport]) -> Void = { _, _ in }
    ) throws -> Outcome {
        var record = resuming?.record ?? TrainingCheckpoint(job)
        if resuming != nil, let checkpoints { try record.takeUp(job, path: checkpoints.path) }
        try refuseTakenNames(in: catalog, resuming: resuming?.record)
        try job.source.checkTokenizer(in: catalog)
        if resuming == nil, let checkpoints { try record.write(to: checkpoints.path, states: [:], position: nil) }
        return try catalog.withRuns(
            of: job.plans.indices, cancelled: cancelled, opening: { try job.openRun(of: $0, record, in: catalog) }
        ) { runs in
            let session = try TrainingSession(job, record, resuming?.file, runs, workers)
            try session.train(checkpoints: checkpoints, progress: progress)
            let results = try session.numbers.map { try finish($0, session, runs[$0], catalog) }
            if let checkpoints { try? FileManager.default.removeItem(atPath: checkpoints.path) }
            return Outcome(
                results: results,
                failures: session.failures.map { (name: job.plans[$0.key].name, reason: $0.value) })
        }
    }

    /// Refuses a name in use before hours are spent.
    private func refuseTakenNames(in catalog: Catalog, resuming: TrainingCheckpoint?) throws {
        guard resuming == nil else { return }
        let taken = Set(try catalog.dictionaries().map(\.name))
        if let name = job.plans.compactMap(\.settings.name).first(where: taken.contains) {
            throw WorkflowError.refused("\(catalog.path): has a dictionary \"\(name)\" already; choose another `name`")
        }
    }

    /// Writes a trained dictionary, unless an earlier attempt has.
    private func finish(
        _ number: Int, _ session: TrainingSession, _ run: RunContext, _ catalog: Catalog
    ) throws -> Result {
        let plan = job.plans[number]
        let runID = run.runID
        let trainer = session.trainer(number)
        let written = try catalog.dictionaries().first { $0.runID == runID }
        let name = try written?.name ?? plan.settings.name ?? catalog.freeDictionaryName(plan.settings.defaultName)
        var dictionaryID = written?.dictionaryID
        trainer.finish(workers)
        guard trainer.state.isFinite else { throw TrainingError.lossNotFinite(step: job.steps) }
        if let path = plan.weightsOutput {
            // Whether the file may be replaced was settled when the job was made.
            try trainer.state.weights.write(
                plan.configuration, to: path, metadata: ["architecture": plan.settings.architecture.rawValue],
                overwrite: true)
        }
        if dictionaryID == nil {
            let modelID = try job.source.languageModelID(in: catalog)
            dictionaryID = try catalog.addDictionary(
                try plan.record(
                    runID: runID, languageModelID: modelID, name: name, tokens: job.steps * job.batchTokens),
                tensors: trainer.state.weights.tensors(stored: plan.dtype))
        }
        try run.complete()
        return Result(
            runID: runID, dictionaryID: dictionaryID ?? 0, name: name, configuration: plan.configuration,
            reports: session.reports(number))
    }
}
