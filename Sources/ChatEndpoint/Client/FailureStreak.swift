/// Failures of a batch since its last reply; decides when to stop.
struct FailureStreak {
    /// Failures of one kind after which an endpoint that has answered nothing is given up.
    static let sameKindLimit = 3
    /// Failures of any kind, one after another, after which any endpoint is given up.
    static let limit = 20
    /// The same where no connection came about, each after all of its attempts.
    static let unreachableLimit = 3

    /// Whether the endpoint has answered anything, in this batch or before.
    private var isTrusted: Bool
    private var hasAnswered = false
    private var count = 0
    private var unreachableCount = 0
    private var kinds: Set<String> = []

    /// - Parameter isTrusted: whether the endpoint is known to answer such requests.
    init(isTrusted: Bool) {
        self.isTrusted = isTrusted
    }

    /// A reply has come.
    mutating func end() {
        self = FailureStreak(isTrusted: true)
        hasAnswered = true
    }

    /// Notes a failure; returns whether all other requests are likely to fail alike.
    mutating func isHopeless(_ failure: ChatFailure) -> Bool {
        count += 1
        kinds.insert(Self.kind(of: failure))
        switch failure {
        case .libraryMissing, .redirected: return true
        case .unreachable:
            unreachableCount += 1
            if !hasAnswered || unreachableCount >= Self.unreachableLimit { return true }
        case .http(let status, _), .reported(let status, _):
            // Routers forbid single questions too, once a moderator has flagged them.
            if [401, 402, 404, 405].contains(status) || status == 403 && !isTrusted { return true }
        default: break
        }
        return count >= Self.limit || !isTrusted && count >= Self.sameKindLimit && kinds.count == 1
    }

    /// The kind of a failure: its text without numbers and names of single requests.
    private static func kind(of failure: ChatFailure) -> String {
        switch failure {
        case .http(let status, let message), .reported(let status, let message):
            let words = message.split(separator: " ").filter { !$0.contains(where: \.isNumber) }
            return status < 500 ? "\(status) \(words.joined(separator: " "))" : "\(status)"
        case .rateLimited: return "rate limited"
        case .timedOut: return "timed out"
        case .connection: return "connection"
        default: return "\(failure)"
        }
    }
}
