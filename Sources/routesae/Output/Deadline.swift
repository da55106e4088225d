import FeatureCatalog
import Foundation
@preconcurrency import Glibc
import Synchronization

/// The end of the time that a verb which only reads may take, from its start to its last byte.
///
/// Statements are told when it has come and end in good order. One that is within a single function of SQLite's cannot
/// be told: shortly after, the process ends where it stands. Nothing is lost by that, since nothing is written.
final class Deadline: Sendable {
    private let end: Mutex<ContinuousClock.Instant?>
    private let start = ContinuousClock.now
    private let seconds: Double

    /// Seconds between the end of the time and that of the process.
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

    /// The time is taken no longer.
    func lift() {
        end.withLock { $0 = nil }
    }
}
