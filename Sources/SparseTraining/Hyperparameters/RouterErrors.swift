/// Which errors a router descends that learns by `RouterGradient.layerErrors`: e_l of a token at layer l, against μ_l, the
/// running mean of that layer's errors.
///
/// Errors are smallest at the earliest layers for every dictionary, so a router that descends them as they are reads
/// little else. Measured against its layer's mean, an error says how well the dictionary does for such a layer.
package enum RouterErrors: String, Sendable, Codable, CaseIterable {
    /// e_l.
    case absolute
    /// e_l − μ_l.
    case centred
    /// e_l / μ_l − 1.
    case relative
}
