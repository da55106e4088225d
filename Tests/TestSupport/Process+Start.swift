package import Foundation
import Synchronization

extension Process {
    private static let starting = Mutex(())

    /// Starts it as `run()` does, one process at a time: Foundation has crashed where tests beside each other started
    /// theirs at once.
    package func start() throws {
        try Self.starting.withLock { _ in try run() }
    }
}
