import Dispatch

/// Lets a few requests be worked on at once; some more wait, and others are turned away.
actor RequestGate {
    private let limit: Int
    private let waitingLimit: Int
    private var running = 0
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// - Parameters:
    ///   - limit: worked on at once.
    ///   - waitingLimit: waiting beside those.
    init(limit: Int, waitingLimit: Int) {
        self.limit = limit
        self.waitingLimit = waitingLimit
    }

    /// Runs `work` on a thread of its own.
    ///
    /// - Returns: nil if too many wait already.
    func run<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value? {
        guard await enter() else { return nil }
        let value = await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: work()) }
        }
        leave()
        return value
    }

    private func enter() async -> Bool {
        guard running >= limit else {
            running += 1
            return true
        }
        guard waiting.count < waitingLimit else { return false }
        // The one that leaves hands its place on.
        await withCheckedContinuation { waiting.append($0) }
        return true
    }

    private func leave() {
        guard !waiting.isEmpty else {
            running -= 1
            return
        }
        waiting.removeFirst().resume()
    }
}
