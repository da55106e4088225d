/// The special tokens put around a text.
struct SpecialTokenTemplate: Sendable, Equatable {
    var prefix: [TokenID] = []
    var suffix: [TokenID] = []
}
