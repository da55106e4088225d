import FeatureCatalog
import LinearAlgebra
import Safetensors
import TestSupport
package import Training

/// Trains into a catalog at a path, made anew unless training is resumed.
@discardableResult
package func train(
    _ settings: [TrainingSettings], catalog path: String, threads: Int = 2, weightsOutput: String? = nil,
    everySteps: Int? = nil, resuming: Bool = false, cancelled: @escaping () -> Bool = { false }
) throws -> [TrainingRun.Result] {
    let workers = Workers(threads: threads)
    let checkpoint = TrainingCheckpoint.path(besideCatalog: path)
    let job = try TrainingJob(settings, workers: workers, weightsOutput: weightsOutput)
    let catalog =
        resuming ? try Catalog.open(at: path, mode: .readWrite) : try Catalog.create(at: path, replacing: true)
    defer { _ = try? catalog.close() }
    return try TrainingRun(
        job, workers: workers, checkpoints: CheckpointPolicy(path: checkpoint, everySteps: everySteps)
    ).run(into: catalog, resuming: resuming ? try TrainingCheckpoint.read(checkpoint) : nil, cancelled: cancelled)
        .results
}
