/// How a dictionary with a k is kept sparse while it trains.
package enum ActivationSparsity: String, Sendable, Codable, CaseIterable {
    /// The k largest latents of every token (Gao et al. 2024, arXiv 2406.04093).
    case topk
    /// The n · k largest of a batch of n tokens, so that k is a mean; afterwards those above one threshold (Bussmann et
    /// al. 2024, arXiv 2412.06410).
    case batchtopk
}
