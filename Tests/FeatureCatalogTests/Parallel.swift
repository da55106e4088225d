import Foundation
import Synchronization

/// Work on all processors at once.
enum Parallel {
    /// Calls `body` with every number and its worker's; each worker does one thing at a time.
    ///
    /// The workers are threads of their own: Swift's tasks have as many as there are processors, and servers in other
    /// tests need one to answer with.
    static func forEach(
        _ numbers: Range<Int>, _ body: @escaping @Sendable (_ number: Int, _ worker: Int) throws -> Void
    ) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            Thread.detachNewThread { continuation.resume(with: Result { try run(numbers, body) }) }
        }
    }

    private static func run(
        _ numbers: Range<Int>, _ body: @escaping @Sendable (_ number: Int, _ worker: Int) throws -> Void
    ) throws {
        let next = Mutex(numbers.lowerBound)
        let failure = Mutex<(any Error)?>(nil)
        DispatchQueue.concurrentPerform(iterations: max(1, ProcessInfo.processInfo.activeProcessorCount)) { worker in
            while failure.withLock({ $0 == nil }) {
                let number = next.withLock { next in
                    defer { next += 1 }
                    return next
                }
                guard number < numbers.upperBound else { return }
                do { try body(number, worker) } catch { failure.withLock { $0 = error } }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }
}
