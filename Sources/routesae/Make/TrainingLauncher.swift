import ActivationPipeline
import FeatureCatalog
import Foundation
import Safetensors
import SparseTraining
import TerminalOutput
import Training

/// Starts or resumes a training job, for `train` and `sweep`.
struct TrainingLauncher {
    /// The catalog's path.
    let catalog: String
    let files: TrainFileOptions
    let options: RunOptions
    var weightsOutput: String?
    /// The settings file, if any.
    var config: String?

    /// Runs the job.
    ///
    /// - Parameter given: the settings of its dictionaries; nil takes those of the checkpoint.
    /// - Returns: the outcome; nil if nothing was left to do.
    func run(_ given: [TrainingSettings]?) throws -> TrainingRun.Outcome? {
        Interruption.watch()
        let policy = try CheckpointPolicy(
            path: files.checkpoint ?? TrainingCheckpoint.path(besideCatalog: catalog),
            everySteps: files.checkpointEvery)
        if files.resume, try isDone(given, policy) {
            options.say("\(catalog): its last training run is complete; nothing is left to do")
            return nil
        }

        let resuming = try checkpoint(policy, isNeeded: given == nil)
        guard let settings = given ?? resuming?.record.settings else { return nil }
        // Everything is checked before a catalog is created.
        let job = try TrainingJob(
            settings, input: input, workers: options.workers, weightsOutput: weightsOutput,
            overwritingWeights: files.force || resuming != nil)
        try job.checkBeginning(resuming: resuming?.record)
        job.remarks.forEach(StandardStreams.remark)
        try OutputFile.check(
            policy.path, overwriting: true, inputs: job.paths + [catalog] + [weightsOutput, config].compactMap { $0 })
        let batch = settings[0].batchTokens
        let run = TrainingRun(job, workers: options.workers, checkpoints: policy)
        // Before the catalog is replaced: otherwise --resume could resume discarded training in the new one.
        if resuming == nil { try Self.makeWay(for: policy.path, replacing: files.force) }
        let file = try open(resuming: resuming != nil)
        do {
            return try CatalogFile.write(file) { catalog in
                let progress = options.progress("training tokens", done: (resuming?.record.step ?? 0) * batch)
                defer { progress.finish() }
                return try run.run(
                    into: catalog, resuming: resuming, cancelled: { Interruption.isRequested }
                ) { step, reports in
                    progress.update(step * batch, of: job.steps * batch, fields: fields(reports))
                }
            }
        } catch TrainingError.lossNotFinite(let step) {
            options.say(
                "\(policy.path): the last good checkpoint is kept; training anew with other settings needs --force, or "
                    + "--append and another --checkpoint")
            throw TrainingError.lossNotFinite(step: step)
        }
    }

    /// Standard input, for a stream of activations.
    private var input: StreamInput {
        let isQuiet = options.quiet
        return StreamInput(
            cancelled: { Interruption.isRequested }, remark: { if !isQuiet { StandardStreams.remark($0) } })
    }

    /// The checkpoint to resume from.
    private func checkpoint(
        _ policy: CheckpointPolicy, isNeeded: Bool
    ) throws -> (record: TrainingCheckpoint, file: SafetensorsFile)? {
        let exists = FileManager.default.fileExists(atPath: policy.path)
        if files.resume {
            return exists || isNeeded ? try TrainingCheckpoint.read(policy.path) : nil
        }
        guard !exists || files.force else { throw Self.inTheWay(policy.path) }
        return nil
    }

    private static func inTheWay(_ path: String) -> WorkflowError {
        .refused(
            "\(path): is the checkpoint of a training that did not end; 'routesae train CATALOG --resume' goes on with it, "
                + "--force discards it")
    }

    /// Removes an earlier checkpoint that may be replaced; any other file is refused.
    static func makeWay(for path: String, replacing: Bool) throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        guard replacing else { throw inTheWay(path) }
        guard TrainingCheckpoint.isOne(path) else {
            throw WorkflowError.refused("\(path): is no checkpoint, so it is not replaced; name another --checkpoint")
        }
        try FileManager.default.removeItem(atPath: path)
    }

    /// Whether a training run to be resumed has already ended.
    private func isDone(_ given: [TrainingSettings]?, _ policy: CheckpointPolicy) throws -> Bool {
        let manager = FileManager.default
        guard !manager.fileExists(atPath: policy.path), manager.fileExists(atPath: catalog) else { return false }
        // A job killed while it closed the catalog leaves a change there that only a writer can undo.
        let file = try (try? Catalog.open(at: catalog, mode: .readOnly)) ?? CatalogFile.open(catalog)
        defer { _ = try? file.close() }
        let runs = try file.runs().filter { $0.kind == .train }.suffix(given?.count ?? 1)
        guard weightsOutput == nil, !runs.isEmpty, runs.last?.status == .complete else { return false }
        guard let given else { return true }
        // A run that dropped out has ended as well.
        return zip(runs, given).allSatisfy { run, wanted in
            run.status != .interrupted && run.status != .running
                && (try? JSONDecoder().decode(TrainingSettings.self, from: Data(run.configJSON.utf8))) == wanted
        } && runs.count == given.count
    }

    /// Opens or creates the catalog.
    private func open(resuming: Bool) throws -> Catalog {
        let exists = FileManager.default.fileExists(atPath: catalog)
        guard exists else { return try Catalog.create(at: catalog, replacing: false, software: Software.identity) }
        if resuming || files.append { return try CatalogFile.open(catalog) }
        if files.resume {
            // Created by a job that was killed before its first checkpoint: it is empty.
            let file = try CatalogFile.open(catalog)
            if try file.runs().isEmpty { return file }
            _ = try file.close()
        }
        guard files.force else {
            throw WorkflowError.cannotWrite(
                path: catalog, problem: "exists already; --append adds to it, --force replaces it")
        }
        return try Catalog.create(at: catalog, replacing: true, software: Software.identity)
    }

    /// Fields of the progress line: one dictionary's figures, or the range over several.
    private func fields(_ reports: [StepReport]) -> [(name: String, value: String)] {
        guard reports.count != 1 else { return reports[0].fields }
        func range(_ values: [Float], _ text: (Double) -> String) -> String {
            guard let low = values.min(), let high = values.max() else { return "" }
            return low == high ? text(Double(low)) : "\(text(Double(low)))–\(text(Double(high)))"
        }
        return [
            ("dictionaries", "\(reports.count)"),
            ("loss", range(reports.map(\.loss)) { Quantities.significant($0) }),
            ("EV", range(reports.map(\.explainedVariance)) { Quantities.percentage($0) }),
            ("L0", range(reports.map(\.l0)) { Quantities.significant($0) }),
            ("dead", range(reports.map(\.deadShare)) { Quantities.percentage($0) }),
        ]
    }
}
