import Glibc

/// How long opening and closing wait for other processes, and how they report it.
package struct Patience: Sendable {
    let seconds: Double
    let isOver: @Sendable () -> Bool
    let remark: @Sendable (String) -> Void

    /// Makes a limit.
    ///
    /// - Parameters:
    ///   - seconds: How long to wait.
    ///   - isOver: Polled several times a second; true gives up early.
    ///   - remark: Told which process is waited for, and at the end what failed; a line each.
    package init(
        seconds: Double, isOver: @escaping @Sendable () -> Bool = { false },
        remark: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.seconds = seconds
        self.isOver = isOver
        self.remark = remark
    }

    /// Does not wait.
    package static let none = Patience(seconds: 0)

    /// Waits for a short statement of another process, silently.
    package static let short = Patience(seconds: CatalogFormat.busyTimeout)

    /// Seconds after which a wait is reported.
    fileprivate static let silence = 1.0
}

/// One wait for other processes.
struct Wait {
    private let patience: Patience
    private let start = ContinuousClock.now
    private var pauses = 0
    private var hasSpoken = false

    init(_ patience: Patience) {
        self.patience = patience
    }

    /// Pauses before another attempt.
    ///
    /// - Parameter reason: Why it waits; reported once.
    /// - Returns: False, at once, if the time is up.
    mutating func goesOn(_ reason: () -> String) -> Bool {
        let elapsed = (ContinuousClock.now - start) / .seconds(1)
        guard elapsed < patience.seconds, !patience.isOver() else { return false }
        if !hasSpoken, elapsed >= Patience.silence {
            hasSpoken = true
            patience.remark(reason())
        }
        // From a hundredth of a second to a fifth.
        usleep(10_000 << UInt32(min(pauses, 4)))
        pauses += 1
        return true
    }
}
