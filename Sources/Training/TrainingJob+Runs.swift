import ActivationPipeline
import FeatureCatalog
import SparseTraining

extension TrainingJob {
    /// Opens a dictionary's run, or resumes it: a checkpoint names the runs by uuid, so a job that was killed at any
    /// moment finds those it had opened.
    ///
    /// - Parameter number: the dictionary's number in the job.
    /// - Returns: the run's number in the catalog.
    /// - Throws: `WorkflowError.refused` where the run of that uuid is no training run; `CatalogError`.
    func openRun(of number: Int, _ checkpoint: TrainingCheckpoint, in catalog: Catalog) throws -> Int64 {
        let settings = plans[number].settings
        let uuid = checkpoint.runs[number]
        guard let runID = try catalog.runID(uuid: uuid) else {
            let runID = try catalog.openRun(
                .train, settings: settings, seed: settings.seed, inputs: inputs, uuid: uuid)
            // In a new catalog: the dictionary dropped out before the checkpoint was taken.
            if let reason = checkpoint.failures[number] {
                try catalog.finishRun(runID, status: .failed, error: reason)
            }
            return runID
        }
        let run = try catalog.run(runID)
        guard run.kind == .train else {
            throw WorkflowError.refused("\(catalog.path): run \(runID) is no training run; the checkpoint is not of it")
        }
        if run.status != .complete, checkpoint.failures[number] == nil {
            // Text not read yet may have been corrected meanwhile; once all is read, the recorded inputs stay.
            try catalog.resumeRun(runID, inputs: checkpoint.step < steps ? inputs : nil)
        }
        return runID
    }
}
