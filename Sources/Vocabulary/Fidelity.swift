/// Which account of RouteSAE a dictionary follows.
package enum Fidelity: String, Sendable, Codable, CaseIterable {
    /// What the authors' published code computes (swei2001/RouteSAEs at d1a3c06), step by step, defects included, so
    /// that a run can be compared with PyTorch weight by weight.
    case reference
    /// The method with its known defects repaired: routing selects the unscaled activation and learns by a
    /// straight-through gradient, kept latents are non-negative, dead latents are revived. The default.
    case corrected
}
