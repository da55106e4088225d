/// What is remembered of a context until the text has been read to its end: 8 bytes a token of the window.
struct ContextDraft: Sendable {
    /// The segment's number within the document.
    let segment: Int32
    /// Place of the window's first token in the document's token ids.
    let windowStart: Int32
    /// The decoder layer the peak token was routed to.
    let layer: Int32
    /// The router's weight there.
    let routerWeight: Float
    /// The window's tokens.
    let tokens: [Int32]
    /// The feature's activations over the window, 0 where it does not fire.
    let activations: [Float]
}
