import Dispatch
import Foundation
import Synchronization

/// A fixed number of threads on which requests are worked on.
///
/// Connections have threads of their own, hundreds of them; were requests worked on there, each would keep the stack and
/// the freed blocks of the largest one that it has seen. Here as many threads do as work at once.
final class WorkThreads: Sendable {
    /// What the threads share; they end with its owner.
    private final class Queue: Sendable {
        private let works = Mutex<[@Sendable () -> Void]>([])
        private let filled = DispatchSemaphore(value: 0)

        func add(_ work: @escaping @Sendable () -> Void) {
            works.withLock { $0.append(work) }
            filled.signal()
        }

        /// Wakes a thread for nothing, so that it ends.
        func end() { filled.signal() }

        func run() {
            while true {
                filled.wait()
                guard let work = works.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else { return }
                work()
            }
        }
    }

    private let queue = Queue()
    private let count: Int

    /// Starts threads.
    init(count: Int) {
        self.count = count
        for _ in 0..<count { Thread.detachNewThread { [queue] in queue.run() } }
    }

    deinit { for _ in 0..<count { queue.end() } }

    /// Runs `work` on one of the threads, as soon as one is free, and waits for it.
    func run<Value: Sendable>(_ work: @escaping @Sendable () -> Value) -> Value {
        let done = DispatchSemaphore(value: 0)
        let value = Mutex<Value?>(nil)
        queue.add {
            let result = work()
            value.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        guard let result = value.withLock({ $0 }) else { preconditionFailure("work that is done has a value") }
        return result
    }
}
