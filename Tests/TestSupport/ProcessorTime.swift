import Glibc

/// The processor time that this thread has had, for tests of what must not run for ever: other tests run beside them, and
/// the clock on the wall counts what those take.
package enum ProcessorTime {
    /// The time until now.
    package static var ofThisThread: Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
