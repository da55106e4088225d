/// What an intervention does to one latent, and how its strength is meant.
package enum EditOperation: String, Sendable, Codable, CaseIterable {
    /// The latent becomes the strength, whether it was active or not.
    case set
    /// The strength is added, whether the latent was active or not; the sum is not less than 0.
    case add
    /// The latent becomes that many times what it is: 0 takes it away, 1 changes nothing.
    case multiply
}
