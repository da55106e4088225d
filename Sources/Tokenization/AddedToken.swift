/// A token that is looked for in the text itself, before anything is split or merged.
struct AddedToken: Sendable, Equatable {
    var id: TokenID
    var content: String
    /// Whether it is left out of decoded text on request.
    var isSpecial: Bool
    /// Whether it is looked for in normalised text, and in its own normalised form.
    var isNormalized: Bool
    /// Whether it counts only where no word character touches it.
    var isSingleWord: Bool
    /// Whether it takes the spaces in front of it along.
    var stripsLeft: Bool
    /// Whether it takes the spaces behind it along.
    var stripsRight: Bool
}
