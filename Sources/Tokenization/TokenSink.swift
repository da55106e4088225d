/// Where the tokens of a text go: into one array, or on in stretches, so that those of a long text need not be in memory
/// at once.
struct TokenSink {
    /// The tokens that have not been passed on.
    var ids: [TokenID] = []
    /// How many wait before they are passed on; nil keeps all of them.
    private let stretch: Int?
    private let body: ([TokenID]) -> Void

    /// Keeps all tokens, behind some.
    init(after ids: [TokenID]) {
        self.ids = ids
        stretch = nil
        body = { _ in }
    }

    /// Passes tokens on from `stretch` on.
    init(stretch: Int, _ body: @escaping ([TokenID]) -> Void) {
        self.stretch = stretch
        self.body = body
    }

    /// Makes room for the tokens of so many bytes, as far as they are kept.
    mutating func reserve(forBytes count: Int) {
        ids.reserveCapacity(min(ids.count + count / 3, stretch ?? .max))
    }

    /// Passes the tokens on if there are enough.
    @inline(__always)
    mutating func passOn() {
        if let stretch, ids.count >= stretch { passOnAll() }
    }

    /// Passes on what there is.
    mutating func passOnAll() {
        body(ids)
        ids.removeAll(keepingCapacity: true)
    }
}
