import Foundation

/// Whether a job fits into the machine, asked before anything large is allocated: the system would otherwise end the
/// process in the middle of the work, without a word.
package struct MemoryBudget {
    /// Bytes that may be used.
    package let limit: Double

    package init(limit: Double) {
        self.limit = limit
    }

    /// The machine's memory, or the control group's limit where that is lower.
    package static var machine: MemoryBudget {
        let physical = Double(ProcessInfo.processInfo.physicalMemory)
        // Control groups version 2, as containers have it; "max" is no limit.
        let group = (try? String(contentsOfFile: "/sys/fs/cgroup/memory.max", encoding: .utf8))
            .flatMap { Double($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        return MemoryBudget(limit: min(physical, group ?? .infinity))
    }

    /// Checks a need.
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
            "\(job) needs about \(MemoryBudget.gigabytes(bytes)) of memory, this machine has "
                + "\(MemoryBudget.gigabytes(limit)); \(advice)")
    }

    private static func gigabytes(_ bytes: Double) -> String {
        String(format: "%.1f GB", bytes / 1e9)
    }
}
