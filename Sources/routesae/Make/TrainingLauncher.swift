import FeatureCatalog
import Foundation
import Safetensors
import SparseTraining
import TerminalOutput
import Workflows

/// Starts or resumes a training job: what `train` and `sweep` have in common.
struct TrainingLauncher {
    /// The catalog's path.
    let catalog: String
    let files: TrainFileOptions
    let options: RunOptions
    var weightsOutput: String?

    /// Runs the job.
    ///
    /// - Parameter given: the settings of its dictionaries; nil takes those of the checkpoint.
    /// - Returns: the dictionaries; none where there was nothing left to do.
    func run(_ given: [TrainingSettings]?) throws -> [TrainingRun.Result] {
        Interruption.watch()
        let policy = try CheckpointPolicy(
            path: files.checkpoint ?? TrainingCheckpoint.path(besideCatalog: catalog),
            everySteps: files.checkpointEvery)
        if files.resume, try isDone(given, policy) {
            options.say("\(catalog): its last training run is complete; nothing is left to do")
            return []
        }
        let resuming = try checkpoint(policy, isNeeded: given == nil)
        guard let settings = given ?? resuming?.record.settings else { return [] }
        // Everything that can be refused is, before a catalog appears.
        let job = try TrainingJob(
            settings, workers: options.workers, weightsOutput: weightsOutput,
            overwritingWeights: files.force || resuming != nil)
        try OutputFile.check(policy.path, overwriting: true, inputs: [catalog])
        let batch = settings[0].batchTokens
        let run = TrainingRun(job, workers: options.workers, checkpoints: policy)
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
        } catch let error as TrainingError {
            options.say("\(policy.path): the last good checkpoint is kept; --resume goes on from it")
            throw error
        }
    }

    /// The checkpoint to go on from.
    private func checkpoint(
        _ policy: CheckpointPolicy, isNeeded: Bool
    ) throws -> (record: TrainingCheckpoint, file: SafetensorsFile)? {
        let exists = FileManager.default.fileExists(atPath: policy.path)
        if files.resume {
            return exists || isNeeded ? try TrainingCheckpoint.read(policy.path) : nil
        }
        guard !exists || files.force else {
            throw WorkflowError.refused(
                "\(policy.path): is the checkpoint of a training that did not end; --resume goes on with it, --force "
                    + "discards it")
        }
        return nil
    }

    /// Whether a training run that is to be resumed has come to its end already.
    private func isDone(_ given: [TrainingSettings]?, _ policy: CheckpointPolicy) throws -> Bool {
        let manager = FileManager.default
        guard !manager.fileExists(atPath: policy.path), manager.fileExists(atPath: catalog) else { return false }
        let file = try Catalog.open(at: catalog, mode: .readOnly)
        defer { _ = try? file.close() }
        guard let last = try file.runs().last(where: { $0.kind == .train }), last.status == .complete else {
            return false
        }
        guard let wanted = given?.last else { return true }
        return (try? JSONDecoder().decode(TrainingSettings.self, from: Data(last.configJSON.utf8))) == wanted
    }

    /// Opens the catalog, or makes it.
    private func open(resuming: Bool) throws -> Catalog {
        let exists = FileManager.default.fileExists(atPath: catalog)
        guard exists else { return try Catalog.create(at: catalog, replacing: false, software: Software.identity) }
        if resuming || files.append { return try Catalog.open(at: catalog, mode: .readWrite) }
        if files.resume {
            // Made by a job that was killed before its first checkpoint: there is nothing in it.
            let file = try Catalog.open(at: catalog, mode: .readWrite)
            if try file.runs().isEmpty { return file }
            _ = try file.close()
        }
        guard files.force else {
            throw WorkflowError.cannotWrite(
                path: catalog, problem: "exists already; --append adds to it, --force replaces it")
        }
        return try Catalog.create(at: catalog, replacing: true, software: Software.identity)
    }

    /// What the progress line shows: one dictionary's figures, or the range over several.
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
