import Glibc

/// The processor time of this thread, for tests of time limits: other tests run beside them, and
/// wall-clock time would count those too.
package enum ProcessorTime {
    /// The time until now.
    package static var ofThisThread: Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
