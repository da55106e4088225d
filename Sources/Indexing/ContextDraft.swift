/// A context while the text is read. Activations are mostly zero, so only the others are
/// kept.
struct ContextDraft: Sendable {
    /// A token of the window on which the feature fires.
    struct Activation: Sendable {
        /// Its position in the window.
        let place: Int32
        let value: Float
    }

    /// The passage's key in the catalog.
    let passage: Int64
    /// Position of the peak token in the passage.
    let position: Int32
    /// Tokens of the window.
    let windowLength: Int32
    /// The decoder layer the peak token was routed to.
    let layer: Int32
    /// The router's weight there.
    let routerWeight: Float
    /// Where the feature fires in the window, in order.
    let activations: [Activation]

    /// Activations `[window tokens]`.
    var window: [Float] {
        var window = [Float](repeating: 0, count: Int(windowLength))
        for activation in activations { window[Int(activation.place)] = activation.value }
        return window
    }
}
