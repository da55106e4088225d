package import FeatureCatalog
import JSON

/// A run that a workflow is working on: `running` in the catalog's ledger until it completes, fails or is interrupted.
///
/// `Catalog.withRun` opens and ends it.
package struct RunContext {
    /// The run's number in the catalog.
    package let runID: Int64
    private let catalog: Catalog
    private let cancelled: () -> Bool

    fileprivate init(_ runID: Int64, of catalog: Catalog, _ cancelled: @escaping () -> Bool) {
        (self.runID, self.catalog, self.cancelled) = (runID, catalog, cancelled)
    }

    /// - Parameter consequence: what stopping here leaves behind, a main clause.
    /// - Throws: `WorkflowError.interrupted` once the run is to stop.
    package func checkCancelled(_ consequence: @autoclosure () -> String) throws(WorkflowError) {
        if isCancelled { throw .interrupted(consequence()) }
    }

    /// Whether the run is to stop.
    package var isCancelled: Bool { cancelled() }

    /// Adds points to the run's curves.
    package func record(_ metrics: [RunMetric]) throws(CatalogError) {
        try catalog.recordMetrics(runID: runID, metrics)
    }

    /// Completes the run ahead of its siblings, or in the same transaction as the rows it writes.
    package func complete() throws(CatalogError) {
        try catalog.finishRun(runID, status: .complete)
    }

    /// Ends the run as interrupted or failed, unless it has ended already.
    package func end(because error: any Error) {
        guard (try? isRunning) == true else { return }
        let stopped = if case WorkflowError.interrupted = error { true } else { false }
        try? catalog.finishRun(runID, status: stopped ? .interrupted : .failed, error: "\(error)")
    }

    /// The status in the file: after a rollback the run is running again.
    fileprivate var isRunning: Bool {
        get throws(CatalogError) { try catalog.run(runID).status == .running }
    }
}

extension Catalog {
    /// Runs a workflow's work as one run of the ledger.
    ///
    /// - Parameters:
    ///   - kind: what the run does.
    ///   - settings: its whole configuration, written as one JSON object.
    ///   - seed: the seed of its generator, if it has one.
    ///   - inputs: the files it reads.
    ///   - cancelled: asked by `RunContext.checkCancelled`.
    ///   - work: what the run does; the run is complete when it returns.
    /// - Throws: what `work` throws, after the run is marked interrupted (for `WorkflowError.interrupted`) or failed;
    ///   `CatalogError`.
    package func withRun<Result>(
        _ kind: RunRecord.Kind, settings: some Encodable, seed: UInt64?, inputs: [RunInput] = [],
        cancelled: @escaping () -> Bool = { false }, _ work: (RunContext) throws -> Result
    ) throws -> Result {
        try withRuns(
            of: CollectionOfOne(()), cancelled: cancelled,
            opening: { try openRun(kind, settings: settings, seed: seed, inputs: inputs) }
        ) { try work($0[0]) }
    }

    /// Runs a workflow's work as several runs of the ledger, for example one per dictionary.
    ///
    /// - Parameters:
    ///   - opening: opens the run of an item, or resumes it, and returns its number.
    ///   - work: what the runs do, given in the order of the items; those still running when it returns are complete.
    /// - Throws: as `withRun`; every run that has not ended is marked.
    package func withRuns<Items: Collection, Result>(
        of items: Items, cancelled: @escaping () -> Bool = { false }, opening: (Items.Element) throws -> Int64,
        _ work: ([RunContext]) throws -> Result
    ) throws -> Result {
        var runs: [RunContext] = []
        do {
            for item in items { runs.append(RunContext(try opening(item), of: self, cancelled)) }
            let result = try work(runs)
            for run in runs { if try run.isRunning { try run.complete() } }
            return result
        } catch {
            for run in runs { run.end(because: error) }
            throw error
        }
    }

    /// Opens a run of this program in the ledger.
    ///
    /// - Parameter uuid: its name among all runs of all catalogs; a new one if not given.
    /// - Returns: its number.
    package func openRun(
        _ kind: RunRecord.Kind, settings: some Encodable, seed: UInt64?, inputs: [RunInput] = [], uuid: String? = nil
    ) throws -> Int64 {
        try beginRun(
            kind: kind, config: try canonicalJSON(settings), seed: seed, inputs: inputs, software: Software.identity,
            uuid: uuid)
    }
}
