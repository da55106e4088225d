import Glibc

/// The processor time that this thread has had, for tests of what must not run for ever: other tests run beside them, and
/// the clock on the wall counts what those take.
public enum ProcessorTime {
    /// The time until now.
    public static var ofThisThread: Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
