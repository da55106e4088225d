import Foundation
import Glibc

/// Which process, of which boot of which machine: enough to tell later whether it is still alive.
struct ProcessIdentity: Equatable {
    let host: String
    let bootID: String?
    let processID: Int
    /// Clock ticks from boot to the process's start; numbers of processes are used again, pairs are not.
    let startedTicks: Int?

    /// This process.
    static let current = ProcessIdentity(
        host: hostName(),
        bootID: bootID(),
        processID: Int(ProcessInfo.processInfo.processIdentifier),
        startedTicks: startedTicks(of: Int(ProcessInfo.processInfo.processIdentifier)))

    /// Whether the process is known to be gone. On another machine that is so after any move of the file, since a run
    /// cannot go on in a copy; only a neighbour on the same boot (another container) is given the benefit of doubt.
    var isGone: Bool {
        guard let bootID, bootID == Self.current.bootID else { return true }
        guard host == Self.current.host else { return false }
        guard let startedTicks, let now = Self.startedTicks(of: processID) else { return true }
        return startedTicks != now
    }

    /// Whether a process that ran at some time is still there: its number may be another's by now.
    ///
    /// - Parameter time: When it was last known to run, in seconds since 1970.
    static func isAlive(_ processID: Int, since time: Int) -> Bool {
        guard let ticks = startedTicks(of: processID) else { return false }
        guard let boot = bootTime() else { return true }
        // The boot's time is known to the second.
        return boot + ticks / sysconf(Int32(_SC_CLK_TCK)) <= time + 1
    }

    /// When the machine started, in seconds since 1970.
    private static func bootTime() -> Int? {
        guard let data = FileManager.default.contents(atPath: "/proc/stat") else { return nil }
        let line = String(decoding: data, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("btime ") }
        return line.flatMap { Int($0.dropFirst(6)) }
    }

    /// The machine's name as the kernel has it; Foundation's asks the network.
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
        // A killed process that nobody has waited for keeps its number, which in a container may be for ever.
        guard let state = fields.first, state != "Z", state != "X" else { return nil }
        // Field 22 of the line, so the twentieth of these.
        return fields.count > 19 ? Int(fields[19]) : nil
    }
}
