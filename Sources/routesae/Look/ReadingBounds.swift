import ArgumentParser
import FeatureCatalog

/// Time and memory limits of a query.
enum ReadingBounds {
    /// Seconds.
    static let defaultSeconds = 10.0
    /// The most memory for SQLite, bytes.
    private static let memoryByteCount = 192 << 20
    /// The most bytes of a table's rows.
    static let tableByteCount = 32 << 20

    /// - Throws: `ValidationError` for an invalid time.
    static func check(seconds: Double) throws {
        guard seconds > 0, seconds <= 1_000_000 else {
            throw ValidationError("--time-limit is \(seconds); allowed: seconds above 0, up to 1000000")
        }
    }

    /// Runs a query within time and memory limits.
    ///
    /// - Parameter body: lifts the deadline when all output is computed.
    /// - Throws: what `body` throws; past the time limit, `.timedOut` with that limit.
    static func run(seconds: Double, path: String, _ body: (Deadline) throws -> Void) throws {
        Catalog.limitMemory(toByteCount: memoryByteCount)
        let deadline = Deadline(seconds: seconds, path: path)
        defer { deadline.lift() }
        do { try body(deadline) } catch let error as CatalogError where error.code == .timedOut {
            throw CatalogError(.timedOut, "\(path): stopped after \(seconds) seconds")
        }
    }
}
