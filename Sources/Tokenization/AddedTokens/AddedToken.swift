/// A token matched in the text itself, before splitting and merging.
struct AddedToken: Sendable, Equatable {
    var id: TokenID
    var content: String
    /// Whether it is left out of decoded text on request.
    var isSpecial: Bool
    /// Whether it is matched in normalised text, and in its own normalised form.
    var isNormalized: Bool
    /// Whether it matches only if no word character touches it.
    var isSingleWord: Bool
    /// Whether it includes the spaces before it.
    var stripsLeft: Bool
    /// Whether it includes the spaces behind it.
    var stripsRight: Bool
}
