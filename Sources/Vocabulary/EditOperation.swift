/// The operation of an edit on one latent, and the meaning of its strength.
package enum EditOperation: String, Sendable, Codable, CaseIterable {
    /// The latent becomes the strength, whether it was active or not.
    case set
    /// The strength is added, whether the latent was active or not; the sum is not less than 0.
    case add
    /// The latent is multiplied by the strength: 0 ablates it, 1 changes nothing.
    case multiply
}
