package import ActivationPipeline
import SparseCoding

/// The path of a training job's checkpoint, and how often it is written besides at the start, the end, and a signal.
package struct CheckpointPolicy: Sendable {
    /// The file.
    package let path: String
    /// Steps between checkpoints; nil goes by time.
    package let everySteps: Int?

    /// The least time between checkpoints.
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
