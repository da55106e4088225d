/// The version of RouteSAE that a dictionary follows: the published code's or the corrected one.
package enum Fidelity: String, Sendable, Codable, CaseIterable {
    /// The computation of the authors' published code (swei2001/RouteSAEs at d1a3c06), step by step, defects kept, so
    /// that a run can be compared with PyTorch weight by weight.
    case reference
    /// The method with its known defects corrected: routing selects the unscaled activation and learns from the errors
    /// at every layer, kept latents are non-negative, dead latents are revived. The default.
    case corrected
}
