import FeatureCatalog
import Foundation
@preconcurrency import Glibc
import Synchronization

/// The time limit of a reading command, from its start to its last byte.
///
/// Statements are interrupted when it has passed and end in good order. One within a single SQLite function cannot
/// be interrupted: shortly after, the process exits. Nothing is lost, since nothing is written.
final class Deadline: Sendable {
    private let end: Mutex<ContinuousClock.Instant?>
    private let start = ContinuousClock.now
    private let seconds: Double

    /// Seconds between the time limit and the exit of the process.
    private static let grace = 0.5

    /// Starts the clock.
    ///
    /// - Parameter path: the catalog, for the message.
    init(seconds: Double, path: String) {
        self.seconds = seconds
        end = Mutex(start + .seconds(seconds + Self.grace))
        let watch = Thread { [self] in
            while let end = end.withLock(\.self) {
                let rest = (end - ContinuousClock.now) / .seconds(1)
                if rest <= 0 {
                    Failure(CatalogError(.timedOut, "\(path): stopped after \(seconds) seconds")).endAtOnce()
                }
                Thread.sleep(forTimeInterval: min(rest, 1))
            }
        }
        watch.stackSize = 1 << 19
        watch.start()
    }

    /// Seconds that are left, at least a thousandth.
    var remaining: Double {
        max(0.001, seconds - (ContinuousClock.now - start) / .seconds(1))
    }

    /// Stops the clock.
    func lift() {
        end.withLock { $0 = nil }
    }
}
