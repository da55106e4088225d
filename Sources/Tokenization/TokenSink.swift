/// Collects the tokens of a text: in one array, or delivered in stretches, so that those of a long text need not be in
/// memory at once.
struct TokenSink {
    /// Tokens not delivered yet.
    var ids: [TokenID] = []
    /// The size from which on tokens are delivered; nil keeps all of them.
    private let stretch: Int?
    private let body: ([TokenID]) -> Void

    /// Keeps all tokens, behind given ones.
    init(after ids: [TokenID]) {
        self.ids = ids
        stretch = nil
        body = { _ in }
    }

    /// Delivers tokens in stretches.
    init(stretch: Int, _ body: @escaping ([TokenID]) -> Void) {
        self.stretch = stretch
        self.body = body
    }

    /// Reserves memory for the tokens of so many bytes, as far as they are kept.
    mutating func reserve(forBytes count: Int) {
        ids.reserveCapacity(min(ids.count + count / 3, stretch ?? .max))
    }

    /// Delivers the tokens if there are enough.
    @inline(__always)
    mutating func passOn() {
        if let stretch, ids.count >= stretch { passOnAll() }
    }

    /// Delivers the remaining tokens.
    mutating func passOnAll() {
        body(ids)
        ids.removeAll(keepingCapacity: true)
    }
}
