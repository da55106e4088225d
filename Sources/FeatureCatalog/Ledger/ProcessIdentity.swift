import Foundation
import Glibc

/// Identifies a process across boots and machines, to tell later whether it still runs.
struct ProcessIdentity: Equatable {
    let host: String
    let bootID: String?
    let processID: Int
    /// Clock ticks from boot to the process's start; process numbers are reused, pairs are not.
    let startedTicks: Int?

    /// This process.
    static let current = ProcessIdentity(
        host: hostName(),
        bootID: bootID(),
        processID: Int(ProcessInfo.processInfo.processIdentifier),
        startedTicks: startedTicks(of: Int(ProcessInfo.processInfo.processIdentifier)))

    /// Whether the process is known to have ended. On another machine it has, since a run
    /// cannot continue in a copy; a process of another container on the same boot is assumed to run.
    var isGone: Bool {
        guard let bootID, bootID == Self.current.bootID else { return true }
        guard host == Self.current.host else { return false }
        guard let startedTicks, let now = Self.startedTicks(of: processID) else { return true }
        return startedTicks != now
    }

    /// Whether a process last seen at some time still runs; its number may have been reused.
    ///
    /// - Parameter time: When it was last known to run, in seconds since 1970.
    static func isAlive(_ processID: Int, since time: Int) -> Bool {
        guard let ticks = startedTicks(of: processID) else { return false }
        guard let boot = bootTime() else { return true }
        // The boot time is known to the second.
        return boot + ticks / sysconf(Int32(_SC_CLK_TCK)) <= time + 1
    }

    /// The machine's boot time, in seconds since 1970.
    private static func bootTime() -> Int? {
        guard let data = FileManager.default.contents(atPath: "/proc/stat") else { return nil }
        let line = String(decoding: data, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("btime ") }
        return line.flatMap { Int($0.dropFirst(6)) }
    }

    /// The kernel's host name; Foundation's queries the network.
    private static func hostName() -> String {
        guard let data = FileManager.default.contents(atPath: "/proc/sys/kernel/hostname") else { return "unknown" }
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func bootID() -> String? {
        guard let data = FileManager.default.contents(atPath: "/proc/sys/kernel/random/boot_id") else { return nil }
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    static func startedTicks(of processID: Int) -> Int? {
        guard let data = FileManager.default.contents(atPath: "/proc/\(processID)/stat") else { return nil }
        // The second field, the program's name in parentheses, may hold anything; count from behind it.
        let line = String(decoding: data, as: UTF8.self)
        guard let end = line.lastIndex(of: ")") else { return nil }
        let fields = line[line.index(after: end)...].split(separator: " ")
        // A zombie keeps its number until its parent waits for it, in a container possibly for ever.
        guard let state = fields.first, state != "Z", state != "X" else { return nil }
        // Field 22 of the line, so the twentieth of these.
        return fields.count > 19 ? Int(fields[19]) : nil
    }
}
