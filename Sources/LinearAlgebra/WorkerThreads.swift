import Glibc
import Synchronization

/// Helper threads of loops: started when a loop first needs them, and kept until the process ends.
///
/// A helper without work looks for some for a few microseconds before it sleeps (`BriefWait`): the loops of one token's
/// pass follow each other that closely, and waking a thread takes longer than most of them.
///
/// If the system allows no more threads, loops use those available, down to the calling one alone.
package final class WorkerThreads: @unchecked Sendable {
    /// The process's own.
    static let shared = WorkerThreads()

    /// A running loop.
    private final class Loop {
        /// Workers at most, the calling thread included.
        let limit: Int
        /// The number of the next helper; the calling thread is 0. Guarded by the lock.
        var next = 1
        /// Whether helpers may still join; becomes false under the lock.
        let isOpen = Atomic<Bool>(false)
        /// Helpers at work; one joins under the lock.
        let helping = Atomic<Int>(0)
        /// Whether the calling thread sleeps until the last helper has left.
        let isAwaited = Atomic<Bool>(false)
        /// Set before the loop opens, and nil after the last helper has left.
        var body: ((Int) -> Void)?

        init(limit: Int, body: @escaping (Int) -> Void) {
            self.limit = limit
            self.body = body
        }
    }

    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    /// Signalled when a loop wants helpers, and when the last one has left a loop.
    private let wanted = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let left = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    /// Loops that want more helpers, oldest first.
    private var open: [Loop] = []
    /// How many these are, for helpers that look without the lock.
    private let openCount = Atomic<Int>(0)
    /// Helpers, and those of them that sleep or look for work.
    private var count = 0
    private var sleeping = 0
    private var looking = 0
    private var most: Int
    private let processors: Int

    /// Bytes of a thread's stack; only those that are touched take memory.
    private static let stackSize = 1 << 22

    /// - Parameters:
    ///   - most: threads at most, as if the system allowed no more.
    ///   - processors: with more threads than these, nobody waits awake.
    package init(most: Int = .max, processors: Int = Workers.processors) {
        self.most = most
        self.processors = processors
        // Held for some instructions: who finds it taken looks again before it sleeps.
        var attributes = pthread_mutexattr_t()
        pthread_mutexattr_init(&attributes)
        pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_ADAPTIVE_NP))
        pthread_mutex_init(lock, &attributes)
        pthread_mutexattr_destroy(&attributes)
        pthread_cond_init(wanted, nil)
        pthread_cond_init(left, nil)
    }

    /// Calls `body` with the numbers `0..<workers`, at once as far as there are threads: certainly with 0, on the calling
    /// thread, and with any of the others at most once. Returns when all calls have.
    ///
    /// Loops within loops, and loops of several threads at a time, share the helpers.
    package func run(workers: Int, _ body: (Int) -> Void) {
        guard workers > 1 else { return body(0) }
        withoutActuallyEscaping(body) { body in
            let loop = Loop(limit: workers, body: body)
            pthread_mutex_lock(lock)
            while count < min(workers - 1, most) { startThread() }
            let isAlone = count == 0
            if !isAlone { offer(loop) }
            let mayWaitAwake = count < processors
            pthread_mutex_unlock(lock)
            body(0)
            if !isAlone {
                close(loop)
                wait(for: loop, awake: mayWaitAwake)
            }
            loop.body = nil
        }
    }

    /// Opens a loop to helpers, under the lock, and wakes as many as are wanted beyond those awake.
    private func offer(_ loop: Loop) {
        loop.isOpen.store(true, ordering: .relaxed)
        open.append(loop)
        openCount.store(open.count, ordering: .releasing)
        let missing = open.reduce(0) { $0 + $1.limit - $1.next } - looking
        if missing > 1, sleeping > 1 {
            pthread_cond_broadcast(wanted)
        } else if missing > 0, sleeping > 0 {
            pthread_cond_signal(wanted)
        }
    }

    /// Lets no further helper join.
    private func close(_ loop: Loop) {
        guard loop.isOpen.load(ordering: .acquiring) else { return }
        pthread_mutex_lock(lock)
        open.removeAll { $0 === loop }
        openCount.store(open.count, ordering: .releasing)
        pthread_mutex_unlock(lock)
    }

    /// Returns when no helper is in a closed loop.
    private func wait(for loop: Loop, awake: Bool) {
        guard loop.helping.load(ordering: .acquiring) > 0 else { return }
        if awake, BriefWait().until({ loop.helping.load(ordering: .acquiring) == 0 }) { return }
        // Either the last helper sees this, or it has left.
        loop.isAwaited.store(true, ordering: .sequentiallyConsistent)
        pthread_mutex_lock(lock)
        while loop.helping.load(ordering: .sequentiallyConsistent) > 0 { pthread_cond_wait(left, lock) }
        pthread_mutex_unlock(lock)
    }

    /// The main loop of a helper.
    private func help() {
        var patience = BriefWait()
        pthread_mutex_lock(lock)
        while true {
            if let loop = join() {
                pthread_mutex_unlock(lock)
                Self.call(loop.loop, loop.worker)
                leave(loop.loop)
                pthread_mutex_lock(lock)
                continue
            }

            if count < processors {
                looking += 1
                pthread_mutex_unlock(lock)
                let isFound = patience.until { openCount.load(ordering: .acquiring) > 0 }
                patience.adapt(wasWorthIt: isFound)
                pthread_mutex_lock(lock)
                looking -= 1
            }
            guard open.isEmpty else { continue }
            sleeping += 1
            pthread_cond_wait(wanted, lock)
            sleeping -= 1
        }
    }

    /// Joins the oldest open loop, under the lock.
    private func join() -> (loop: Loop, worker: Int)? {
        guard let loop = open.first else { return nil }
        let worker = loop.next
        loop.next += 1
        loop.helping.add(1, ordering: .relaxed)
        if loop.next >= loop.limit {
            open.removeFirst()
            openCount.store(open.count, ordering: .relaxed)
            loop.isOpen.store(false, ordering: .releasing)
        }
        return (loop, worker)
    }

    private func leave(_ loop: Loop) {
        guard loop.helping.subtract(1, ordering: .sequentiallyConsistent).newValue == 0,
            loop.isAwaited.load(ordering: .sequentiallyConsistent)
        else { return }
        pthread_mutex_lock(lock)
        pthread_cond_broadcast(left)
        pthread_mutex_unlock(lock)
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
