import ArgumentParser
import FeatureCatalog

/// What a question that a stranger may ask can take of the machine, as a whole.
enum ReadingBounds {
    /// Seconds.
    static let defaultSeconds = 10.0
    /// Bytes that SQLite may hold.
    private static let memoryByteCount = 192 << 20
    /// Bytes of the rows of a table.
    static let tableByteCount = 32 << 20

    /// - Throws: `ValidationError` for a time that is none.
    static func check(seconds: Double) throws {
        guard seconds > 0, seconds <= 1_000_000 else {
            throw ValidationError("--time-limit is \(seconds); allowed: seconds above 0, up to 1000000")
        }
    }

    /// Runs a question within bounds of time and memory.
    ///
    /// - Parameter body: lifts the deadline when all there is to print is made.
    /// - Throws: what `body` throws; where time is over, `.timedOut` with the time that was given.
    static func run(seconds: Double, path: String, _ body: (Deadline) throws -> Void) throws {
        Catalog.limitMemory(toByteCount: memoryByteCount)
        let deadline = Deadline(seconds: seconds, path: path)
        defer { deadline.lift() }
        do { try body(deadline) } catch let error as CatalogError where error.code == .timedOut {
            throw CatalogError(.timedOut, "\(path): stopped after \(seconds) seconds")
        }
    }
}
