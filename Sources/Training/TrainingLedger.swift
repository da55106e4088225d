import ActivationPipeline
import FeatureCatalog
import JSON
import SparseTraining

/// A job's runs in the catalog's ledger: one for each dictionary.
final class TrainingLedger {
    /// The run of each dictionary.
    let runIDs: [Int64]
    private let catalog: Catalog

    /// Opens the runs, or takes them up again: a checkpoint names them by uuid, so a job that was killed at whatever
    /// moment finds those it had opened.
    init(_ job: TrainingJob, _ checkpoint: TrainingCheckpoint, in catalog: Catalog) throws {
        self.catalog = catalog
        let known = Dictionary(try catalog.runs().map { ($0.uuid, $0) }) { first, _ in first }
        runIDs = try zip(job.plans, checkpoint.runs).enumerated().map { number, pair in
            let (plan, uuid) = pair
            guard let run = known[uuid] else {
                return try catalog.beginRun(
                    kind: .train, config: try canonicalJSON(plan.settings), seed: plan.settings.seed,
                    inputs: job.inputs, software: Software.identity, uuid: uuid)
            }
            guard run.kind == .train else {
                throw WorkflowError.refused(
                    "\(catalog.path): run \(run.runID) is no training run; the checkpoint is not of it")
            }
            if run.status != .complete, checkpoint.failures[number] == nil {
                // What is read from here on may have been mended meanwhile; once all is read, it is what it was.
                try catalog.resumeRun(run.runID, inputs: checkpoint.step < job.steps ? job.inputs : nil)
            }
            return run.runID
        }
    }

    /// Adds points to a dictionary's curves.
    func record(_ number: Int, _ metrics: [RunMetric]) throws {
        try catalog.recordMetrics(runID: runIDs[number], metrics)
    }

    /// Ends a run well.
    func complete(_ number: Int) throws {
        try catalog.finishRun(runIDs[number], status: .complete)
    }

    /// Ends runs that did not come to their end; those that did are left alone.
    func close(_ numbers: [Int], as status: RunRecord.Status, because error: any Error) {
        for number in numbers where (try? catalog.run(runIDs[number]))?.status == .running {
            try? catalog.finishRun(runIDs[number], status: status, error: "\(error)")
        }
    }
}
