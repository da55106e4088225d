/// Where a model's weights are kept while it runs.
package enum WeightResidency: Sendable, Equatable {
    /// `.resident` if the weights take less than 1 GiB as fp32, otherwise `.streamed`.
    case automatic
    /// All weights are read when the model is opened, and packed for products; those stored as bf16 stay bf16, the
    /// others are widened to fp32, or rounded for products of bf16.
    case resident
    /// The weights stay in the file; a pass widens one layer at a time into scratch space of its own, so that it
    /// needs the memory of one layer. Small models lose most of their speed by this, large ones little. Products of
    /// bf16 take weights stored as such where they lie in the file, which is mapped into memory.
    case streamed

    /// Below this many bytes of fp32 weights `.automatic` means `.resident`.
    static let automaticLimit = 1 << 30
}
