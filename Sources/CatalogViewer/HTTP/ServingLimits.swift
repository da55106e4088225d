import Foundation
import Glibc

/// How much of the server a client can take.
package struct ServingLimits: Sendable {
    /// Connections at once. One more ends one that waits for a request, or waits itself.
    package var connections = 512
    /// Bytes of a request's line and headers.
    package var headBytes = 32 << 10
    /// Bytes of a form.
    package var formBytes = 64 << 10
    /// Seconds in which a request has to arrive.
    package var requestSeconds = 10.0
    /// Seconds that a connection stays open between two requests.
    package var idleSeconds = 15.0
    /// Seconds in which an answer has to be taken.
    package var answerSeconds = 30.0
    /// Seconds after which a request that is still arriving, or an answer of which nothing is taken, makes room for
    /// another connection.
    package var stallSeconds = 2.0
    /// Seconds in which the texts of steering have to be generated.
    package var steeringSeconds = 45.0
    /// Requests worked on at once.
    package var working = 4
    /// Seconds that a request waits for its turn.
    package var waitingSeconds = 30.0
    /// Seconds that a verdict waits for another process that writes; pages are answered meanwhile.
    package var writingSeconds = 5.0

    /// The usual limits.
    package init() {}

    /// Connections for which the process may open files: half of what is left, since each that is worked on opens the
    /// catalog as well.
    var affordableConnections: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return connections }
        let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 32
        let left = Int(clamping: limit.rlim_cur) - open - 4 * working
        return max(1, min(connections, left / 2))
    }
}
