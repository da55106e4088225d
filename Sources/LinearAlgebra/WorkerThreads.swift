import Glibc

/// Helper threads of loops: started when a loop first needs them, and kept until the process ends.
///
/// If the system allows no more threads, loops use those available, down to the calling one alone.
package final class WorkerThreads: @unchecked Sendable {
    /// The process's own.
    static let shared = WorkerThreads()

    /// A running loop; all but `limit` and `body` are guarded by the lock.
    private final class Loop {
        /// Workers at most, the calling thread included.
        let limit: Int
        /// The number of the next helper; the calling thread is 0.
        var next = 1
        /// Helpers at work.
        var helping = 0
        var body: ((Int) -> Void)?

        init(limit: Int, body: @escaping (Int) -> Void) {
            self.limit = limit
            self.body = body
        }
    }

    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    /// Signalled when a loop wants helpers, and when one has left a loop.
    private let wanted = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let left = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    /// Loops that want more helpers, oldest first.
    private var open: [Loop] = []
    private var count = 0
    private var most: Int

    /// Bytes of a thread's stack; only those that are touched take memory.
    private static let stackSize = 1 << 22

    /// - Parameter most: threads at most, as if the system allowed no more.
    package init(most: Int = .max) {
        self.most = most
        pthread_mutex_init(lock, nil)
        pthread_cond_init(wanted, nil)
        pthread_cond_init(left, nil)
    }

    /// Calls `body` with the numbers `0..<workers`, at once as far as there are threads: certainly with 0, on the calling
    /// thread, and with any of the others at most once. Returns when all calls have.
    ///
    /// Loops within loops, and loops of several threads at a time, share the helpers.
    package func run(workers: Int, _ body: (Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            let loop = Loop(limit: workers, body: body)
            pthread_mutex_lock(lock)
            while count < min(workers - 1, most) { startThread() }
            if count > 0, workers > 1 {
                open.append(loop)
                if workers > 2 { pthread_cond_broadcast(wanted) } else { pthread_cond_signal(wanted) }
            }
            pthread_mutex_unlock(lock)
            body(0)
            pthread_mutex_lock(lock)
            open.removeAll { $0 === loop }
            while loop.helping > 0 { pthread_cond_wait(left, lock) }
            loop.body = nil
            pthread_mutex_unlock(lock)
        }
    }

    /// The main loop of a helper.
    private func help() {
        pthread_mutex_lock(lock)
        while true {
            guard let loop = open.first else {
                pthread_cond_wait(wanted, lock)
                continue
            }

            let worker = loop.next
            loop.next += 1
            if loop.next >= loop.limit { open.removeFirst() }
            loop.helping += 1
            pthread_mutex_unlock(lock)
            Self.call(loop, worker)
            pthread_mutex_lock(lock)
            loop.helping -= 1
            if loop.helping == 0 { pthread_cond_broadcast(left) }
        }
    }

    /// Separate, so that it holds nothing of the loop's body when it returns.
    @inline(never)
    private static func call(_ loop: Loop, _ worker: Int) {
        loop.body?(worker)
    }

    /// Starts a thread, under the lock; if the system refuses, no other is tried again.
    ///
    /// The last thread that the system allows is left to libdispatch, on which the catalog's queue is built: it would
    /// wait for ever without one.
    private func startThread() {
        let gate = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        pthread_mutex_init(gate, nil)
        pthread_mutex_lock(gate)
        var other = pthread_t()
        let isOther =
            pthread_create(
                &other, nil,
                { gate in
                    let gate = gate?.assumingMemoryBound(to: pthread_mutex_t.self)
                    if let gate {
                        pthread_mutex_lock(gate)
                        pthread_mutex_unlock(gate)
                    }
                    return nil
                }, gate) == 0
        if isOther, startHelper() { count += 1 } else { most = count }
        pthread_mutex_unlock(gate)
        if isOther { pthread_join(other, nil) }
        pthread_mutex_destroy(gate)
        gate.deallocate()
    }

    private func startHelper() -> Bool {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, Self.stackSize)
        // Signals are handled by the other threads, except those that a thread raises itself.
        var blocked = sigset_t()
        sigfillset(&blocked)
        for number in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS] { sigdelset(&blocked, number) }
        var before = sigset_t()
        pthread_sigmask(SIG_SETMASK, &blocked, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        var thread = pthread_t()
        let started = pthread_create(
            &thread, &attributes,
            { threads in
                guard let threads else { return nil }
                Unmanaged<WorkerThreads>.fromOpaque(threads).takeRetainedValue().help()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        if started != 0 { Unmanaged.passUnretained(self).release() }
        return started == 0
    }
}
