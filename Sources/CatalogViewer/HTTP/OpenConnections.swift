import Glibc
import Synchronization

/// The connections that are open, and which of them wait for a request.
final class OpenConnections: Sendable {
    private struct State {
        /// Since when it has waited for a request; nil while one is worked on.
        var waitsSince: ContinuousClock.Instant?
        /// Whether it was told to end.
        var isEnding = false
    }

    private let most: Int
    private let states = Mutex<[Int32: State]>([:])

    /// - Parameter most: connections at once.
    init(most: Int) {
        self.most = most
    }

    /// Whether all have ended.
    var isEmpty: Bool { states.withLock(\.isEmpty) }

    /// Lets a connection in. If there are as many as can be, the one that has waited longest for a request ends.
    ///
    /// - Returns: false, with the connection closed, where a request of each is being worked on.
    func admit(_ descriptor: Int32) -> Bool {
        // Those that were told to end take a moment.
        for _ in 0..<1000 where states.withLock({ $0.count >= 2 * most }) { usleep(1000) }
        return states.withLock { states in
            let staying = states.filter { !$0.value.isEnding }
            if staying.count >= most {
                let waiting = staying.compactMap { entry in entry.value.waitsSince.map { (entry.key, $0) } }
                guard states.count < 2 * most, let longest = waiting.min(by: { $0.1 < $1.1 })?.0 else {
                    close(descriptor)
                    return false
                }
                states[longest]?.isEnding = true
                shutdown(longest, Int32(SHUT_RDWR))
            }
            states[descriptor] = State(waitsSince: .now)
            return true
        }
    }

    /// Notes that a connection's request has arrived, or that it waits for another.
    ///
    /// - Returns: whether the connection goes on.
    func note(_ descriptor: Int32, isWaiting: Bool) -> Bool {
        states.withLock { states in
            guard states[descriptor]?.isEnding == false else { return false }
            states[descriptor]?.waitsSince = isWaiting ? .now : nil
            return true
        }
    }

    /// Closes a connection.
    func end(_ descriptor: Int32) {
        states.withLock { states in
            states[descriptor] = nil
            // Under the lock, so that nobody shuts down a new connection of the same number.
            close(descriptor)
        }
    }

    /// Ends those that wait for a request.
    func endWaiting() {
        states.withLock { states in
            for (descriptor, state) in states where state.waitsSince != nil && !state.isEnding {
                states[descriptor]?.isEnding = true
                shutdown(descriptor, Int32(SHUT_RDWR))
            }
        }
    }
}
