/// The parameters of the method.
package struct NeuronToGraphConfiguration: Hashable, Codable, Sendable {
    /// The most tokens in a pattern.
    package let maximumSuffix: Int
    /// The least fraction of a context's activation that a suffix has to keep.
    package let keptShare: Float
    /// A token whose replacement leaves more than this fraction of the suffix's activation becomes a wildcard.
    package let wildcardShare: Float
    /// Whether a suffix has to keep the activation behind a padding token too; see `NeuronToGraphExplainer`.
    package let checksStart: Bool
    /// The most requests in one call of the probe.
    package let requestsPerCall: Int

    /// Makes a configuration; the defaults are those of the method: half the activation, 16 tokens.
    ///
    /// - Throws: `ScoringError.invalidConfiguration` when a number is not positive or a share is outside 0…1.
    package init(
        maximumSuffix: Int = 16,
        keptShare: Float = 0.5,
        wildcardShare: Float = 0.5,
        checksStart: Bool = true,
        requestsPerCall: Int = 4096
    ) throws {
        func check(_ isValid: Bool, _ name: String, _ value: some CustomStringConvertible, _ expected: String) throws {
            guard !isValid else { return }
            throw ScoringError.invalidConfiguration(name: name, value: value.description, expected: expected)
        }
        try check((1...4096).contains(maximumSuffix), "maximumSuffix", maximumSuffix, "1 to 4096")
        try check(keptShare > 0 && keptShare <= 1, "keptShare", keptShare, "above 0 and at most 1")
        try check(wildcardShare >= 0 && wildcardShare <= 1, "wildcardShare", wildcardShare, "0 to 1")
        try check(requestsPerCall >= 1, "requestsPerCall", requestsPerCall, "at least 1")
        self.maximumSuffix = maximumSuffix
        self.keptShare = keptShare
        self.wildcardShare = wildcardShare
        self.checksStart = checksStart
        self.requestsPerCall = requestsPerCall
    }

    private init() {
        (maximumSuffix, keptShare, wildcardShare, checksStart, requestsPerCall) = (16, 0.5, 0.5, true, 4096)
    }

    /// The default parameters.
    package static let standard = NeuronToGraphConfiguration()
}
