/// Where b_pre starts.
package enum InitialBias: String, Sendable, Codable, CaseIterable {
    /// At zero, as in the authors' code.
    case zero
    /// At the mean of the first batch's inputs.
    case mean
    /// At their geometric median (Bricken et al. 2023), which outliers do not pull.
    case geometricMedian
}
