import ActivationPipeline
@preconcurrency import Glibc

/// The system limits of this process. If too low for any command, it is better reported at once than by a
/// call that fails or blocks during the work.
enum ProcessLimits {
    /// Descriptors that a command has open at once, besides the shards of a model or text.
    private static let files: rlim_t = 32
    /// Bytes that even the smallest command needs.
    private static let bytes = Double(32 << 20)

    /// Checks the limits on files, memory and threads; raises that on files as far as needed and permitted.
    ///
    /// - Throws: `WorkflowError.refused` naming the limit and the value it needs.
    static func check() throws(WorkflowError) {
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < files {
            let before = limit.rlim_cur
            limit.rlim_cur = min(files, limit.rlim_max)
            guard limit.rlim_cur == files, setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
                throw .refused("this process may open \(before) files, it needs \(files); raise 'ulimit -n'")
            }
        }
        if let memory = MemoryBudget.process {
            try memory.check(
                floats: bytes / Double(MemoryLayout<Float>.size), for: "any command", advice: "raise the limit")
        }
        guard mayStartThread() else {
            throw .refused(
                "this process may start no thread, it needs one; raise the limit on processes and threads, 'ulimit -u'")
        }
    }

    /// Whether a thread can be started. The catalog's queue needs one to be released, and waits for ever without
    /// one.
    private static func mayStartThread() -> Bool {
        var thread = pthread_t()
        guard pthread_create(&thread, nil, { _ in nil }, nil) == 0 else { return false }
        pthread_join(thread, nil)
        return true
    }
}
