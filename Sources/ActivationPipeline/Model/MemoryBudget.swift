import Foundation
import Glibc

/// Checks that a job fits into memory before anything large is allocated; otherwise the system would kill the
/// process in the middle of the work, without a message.
package struct MemoryBudget {
    /// Bytes that may be used.
    package let limit: Double
    /// Names the limit in the message: the words before and after the number.
    private let owner: (before: String, after: String)

    package init(limit: Double) {
        self.init(limit: limit, owner: ("this machine has", ""))
    }

    private init(limit: Double, owner: (before: String, after: String)) {
        self.limit = limit
        self.owner = owner
    }

    /// The machine's memory, or the control group's limit, or what the process's own limits leave, whichever is least.
    package static var machine: MemoryBudget {
        let physical = Double(ProcessInfo.processInfo.physicalMemory)
        // Control groups version 2, as containers have it; "max" is no limit.
        let group = (try? String(contentsOfFile: "/sys/fs/cgroup/memory.max", encoding: .utf8))
            .flatMap { Double($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        let machine = MemoryBudget(limit: min(physical, group ?? .infinity))
        guard let own = process, own.limit < machine.limit else { return machine }
        return own
    }

    /// Bytes that a process with a limit keeps for what no formula counts: stacks, heaps and tables of many small things.
    private static let reserve = Double(48 << 20)

    /// Bytes left by the process's limits on address space and data; nil without such limits.
    package static var process: MemoryBudget? {
        // With the place of what counts against it in /proc/self/statm.
        let kinds: [(resource: __rlimit_resource, place: Int, option: String)] = [
            (RLIMIT_AS, 0, "ulimit -v"), (RLIMIT_DATA, 5, "ulimit -d"),
        ]
        let limits = kinds.compactMap { resource, place, option in
            var limit = rlimit()
            let isRead = getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0
            return isRead && limit.rlim_cur < rlim_t.max / 2 ? (Double(limit.rlim_cur), place, option) : nil
        }
        guard !limits.isEmpty else { return nil }

        let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
            .map { Double($0.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0 }
        guard let pages, pages.count > 5 else { return nil }
        let pageSize = Double(sysconf(Int32(_SC_PAGESIZE)))
        return limits.map { limit, place, option in
            MemoryBudget(
                limit: max(0, limit - pages[place] * pageSize - reserve),
                owner: ("this process may take", " more ('\(option)')"))
        }.min { $0.limit < $1.limit }
    }

    /// Checks that a job fits.
    ///
    /// - Parameters:
    ///   - floats: how many 32-bit numbers the job holds at once; a `Double`, which no product of sizes overflows.
    ///   - job: what needs them, for the message.
    ///   - advice: what to make smaller.
    /// - Throws: `WorkflowError.refused` saying how much is needed and how much there is.
    package func check(floats: Double, for job: String, advice: String) throws(WorkflowError) {
        let bytes = floats * Double(MemoryLayout<Float>.size)
        guard bytes > limit else { return }
        throw .refused(
            "\(job) needs about \(MemoryBudget.gigabytes(bytes)) of memory, \(owner.before) "
                + "\(MemoryBudget.gigabytes(limit))\(owner.after); \(advice)")
    }

    private static func gigabytes(_ bytes: Double) -> String {
        bytes < 1e9 ? String(format: "%.0f MB", bytes / 1e6) : String(format: "%.1f GB", bytes / 1e9)
    }
}
