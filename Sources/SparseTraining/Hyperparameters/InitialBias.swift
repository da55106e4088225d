/// The initial b_pre.
package enum InitialBias: String, Sendable, Codable, CaseIterable {
    /// At zero, as in the authors' code.
    case zero
    /// At the mean of the first batch's inputs.
    case mean
    /// At their geometric median (Bricken et al. 2023), which is robust to outliers.
    case geometricMedian
}
