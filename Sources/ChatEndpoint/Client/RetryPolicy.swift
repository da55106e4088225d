import Foundation

/// How often a request is tried, and how long to wait in between.
package struct RetryPolicy: Sendable, Equatable {
    /// Attempts in all, the first included; at least 1.
    package var attempts: Int
    /// The wait before the second attempt, in seconds; it doubles from attempt to attempt.
    package var baseDelay: Double
    /// The longest wait of our own choice, in seconds.
    package var maximumDelay: Double
    /// The longest wait that an endpoint may ask for, in seconds. A request that is asked for more fails at once.
    package var maximumRetryAfter: Double
    /// Seed of the jitter.
    package var seed: UInt64

    /// The defaults suit a shared endpoint.
    package init(
        attempts: Int = 5, baseDelay: Double = 1, maximumDelay: Double = 60, maximumRetryAfter: Double = 300,
        seed: UInt64 = 0
    ) {
        self.attempts = attempts
        self.baseDelay = baseDelay
        self.maximumDelay = maximumDelay
        self.maximumRetryAfter = maximumRetryAfter
        self.seed = seed
    }

    /// The wait after a failed attempt, in seconds: half of it fixed, half drawn, so that requests that failed together
    /// do not come back together.
    ///
    /// - Parameters:
    ///   - attempt: the attempt that failed, counted from 1.
    ///   - body: the request; with the seed and the attempt it decides the draw, whatever thread runs it.
    func delay(after attempt: Int, of body: Data) -> Double {
        let full = min(maximumDelay, baseDelay * exp2(Double(attempt - 1)))
        // FNV-1a, then the finaliser of SplitMix64 for the upper bits.
        var hash = 0xCBF2_9CE4_8422_2325 ^ seed
        for byte in body { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        hash = (hash ^ UInt64(attempt)) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ hash >> 27) &* 0x94D0_49BB_1331_11EB
        let draw = Double((hash ^ hash >> 31) >> 11) * 0x1p-53
        return full * (0.5 + 0.5 * draw)
    }

    func validate() throws(ChatConfigurationError) {
        guard attempts >= 1 else {
            throw .invalidSetting(name: "attempts", value: "\(attempts)", expected: "1 or more")
        }

        let waits = [
            ("baseDelay", baseDelay), ("maximumDelay", maximumDelay), ("maximumRetryAfter", maximumRetryAfter),
        ]
        for (name, seconds) in waits where !(seconds >= 0 && seconds.isFinite) {
            throw .invalidSetting(name: name, value: "\(seconds)", expected: "0 or more seconds")
        }
    }
}
