import Glibc
import Synchronization

/// The connections that are open, and what each of them does.
final class OpenConnections: Sendable {
    /// What a connection does.
    enum Phase {
        /// It waits for the first byte of a request.
        case waiting
        /// A request has begun to arrive.
        case arriving
        /// A request is worked on.
        case working
        /// An answer is sent.
        case answering
    }

    private struct State {
        var phase = Phase.waiting
        /// Since when it waits or a request arrives, or when the other side took a part of the answer last.
        var since = ContinuousClock.now
        /// Whether it was told to end.
        var isEnding = false
    }

    /// How long a connection may wait for its request before it makes room for another.
    private static let grace = Duration.milliseconds(100)
    /// How long serving waits between two looks for room.
    private static let pauseMicroseconds: UInt32 = 2000

    private let most: Int
    private let stall: Duration
    private let all = Mutex<(states: [Int32: State], isStopped: Bool)>(([:], false))

    /// - Parameters:
    ///   - most: connections at once.
    ///   - stallSeconds: seconds after which a request that is still arriving, or an answer of which nothing was taken,
    ///     makes room for another connection.
    init(most: Int, stallSeconds: Double) {
        self.most = most
        stall = .seconds(stallSeconds)
    }

    /// Whether all have ended.
    var isEmpty: Bool { all.withLock { $0.states.isEmpty } }

    /// Whether there is no room for another.
    var isFull: Bool { all.withLock { $0.states.count >= most } }

    /// Lets a connection in, as soon as there is room: if there are as many as can be, one that keeps its place for
    /// nothing ends; where there is none, this one waits, and those behind it in the queue of the socket.
    ///
    /// - Returns: false, with the connection closed, once ``stop()`` was called.
    func admit(_ descriptor: Int32) -> Bool {
        while true {
            let isAdmitted = all.withLock { all -> Bool? in
                if all.isStopped {
                    close(descriptor)
                    return false
                }
                if all.states.count < most {
                    all.states[descriptor] = State()
                    return true
                }
                // One that was told to end takes a moment.
                if !all.states.contains(where: \.value.isEnding), let idle = idlest(of: all.states) {
                    all.states[idle]?.isEnding = true
                    shutdown(idle, Int32(SHUT_RDWR))
                }
                return nil
            }
            if let isAdmitted { return isAdmitted }
            usleep(Self.pauseMicroseconds)
        }
    }

    /// The connection that has kept its place for nothing longest. One whose request has arrived is none of them, also
    /// where nobody has read it yet.
    private func idlest(of states: [Int32: State]) -> Int32? {
        let now = ContinuousClock.now
        let idle = states.filter { _, state in
            switch state.phase {
            case .waiting: now - state.since >= Self.grace
            case .arriving, .answering: now - state.since >= stall
            case .working: false
            }
        }
        return idle.sorted { $0.value.since < $1.value.since }
            .first { $0.value.phase != .waiting || !Self.hasBytes($0.key) }?.key
    }

    private static func hasBytes(_ descriptor: Int32) -> Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(truncatingIfNeeded: MSG_PEEK | MSG_DONTWAIT)) > 0
    }

    /// Notes what a connection does from now on, or that it goes on with it.
    ///
    /// - Returns: whether the connection stays.
    @discardableResult
    func note(_ descriptor: Int32, _ phase: Phase) -> Bool {
        all.withLock { all in
            guard all.states[descriptor]?.isEnding == false else { return false }
            all.states[descriptor] = State(phase: phase)
            return true
        }
    }

    /// Closes a connection.
    func end(_ descriptor: Int32) {
        all.withLock { all in
            all.states[descriptor] = nil
            // Under the lock, so that nobody shuts down a new connection of the same number.
            close(descriptor)
        }
    }

    /// Lets nobody in any more, and ends those that wait for a request or whose client takes nothing of its answer.
    func stop() {
        all.withLock { all in
            all.isStopped = true
            for (descriptor, state) in all.states where !state.isEnding {
                let ends =
                    switch state.phase {
                    case .waiting, .arriving: true
                    case .answering: ContinuousClock.now - state.since >= stall
                    case .working: false
                    }
                guard ends else { continue }
                all.states[descriptor]?.isEnding = true
                shutdown(descriptor, Int32(SHUT_RDWR))
            }
        }
    }
}
