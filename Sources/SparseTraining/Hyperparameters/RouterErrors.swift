/// Which error e_l of a token at layer l a router descends that learns by `RouterGradient.layerErrors`, with û_l the
/// reconstruction of what it reads there, u_l.
///
/// Every dictionary reconstructs early layers best, so a router that descends `own` errors reads little else. What is read
/// at a middle layer says most of all layers, and `spanning` errors are least there.
package enum RouterErrors: String, Sendable, Codable, CaseIterable {
    /// The mean over all routed layers o of ‖û_l − u_o‖² / ‖u_o‖²: what the reconstruction, taken for every layer's
    /// activation, would miss.
    case spanning
    /// ‖û_l − u_l‖² / ‖u_l‖².
    case own
}
