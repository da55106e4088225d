import Foundation
import Testing

/// What this process holds.
enum ProcessMemory {
    /// The most that it has ever held at once, bytes.
    static func peak() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return 1024 * (try #require(Int(line.split(separator: " ", omittingEmptySubsequences: true)[1])))
    }
}
