import Foundation

/// Runs a blocking call on a thread of its own while the test's task is suspended.
///
/// Swift's tasks share as many threads as there are cores; two tests that blocked theirs would leave a server in the same
/// process none to answer with.
package func onThread<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Swift.Result { try work() }) }
    }
}
