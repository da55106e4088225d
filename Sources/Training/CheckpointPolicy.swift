package import ActivationPipeline
import SparseCoding

/// Where a training job keeps its checkpoint, and when it takes one besides the start, the end, and a signal.
package struct CheckpointPolicy: Sendable {
    /// The file.
    package let path: String
    /// After every so many steps; nil goes by the clock.
    package let everySteps: Int?

    /// By the clock a checkpoint is taken at most this often.
    static let interval = Duration.seconds(300)

    /// Makes a policy.
    ///
    /// - Throws: `WorkflowError.usage` for a number below 1.
    package init(path: String, everySteps: Int? = nil) throws(WorkflowError) {
        if let everySteps { try Allowed.from(1, "step").check(everySteps, of: "checkpointEvery") }
        self.path = path
        self.everySteps = everySteps
    }

    /// Whether one is due.
    func isDue(step: Int, sinceLast: Duration) -> Bool {
        everySteps.map { step % $0 == 0 } ?? (sinceLast >= CheckpointPolicy.interval)
    }
}
