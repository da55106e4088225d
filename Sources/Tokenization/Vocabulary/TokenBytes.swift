/// The bytes of every token, by id.
struct TokenBytes: Sendable {
    /// One more than the largest id that is accepted, 2^24: enough for any vocabulary, and too little for a hostile file
    /// to have gigabytes allocated.
    static let maximumCount = 1 << 24

    private var bytes: [UInt8] = []
    /// Token `id` has the bytes from `starts[id]` up to `starts[id + 1]`.
    private var starts: [UInt32] = [0]

    /// - Parameter tokens: the bytes of every id that is in use; other ids below the largest have none.
    init(_ tokens: [TokenID: [UInt8]]) {
        let count = (tokens.keys.max().map(Int.init) ?? -1) + 1
        starts.reserveCapacity(count + 1)
        bytes.reserveCapacity(tokens.values.reduce(0) { $0 + $1.count })
        for id in 0..<count {
            if let token = tokens[TokenID(id)] { bytes.append(contentsOf: token) }
            starts.append(UInt32(bytes.count))
        }
    }

    /// One more than the largest id in use.
    var count: Int { starts.count - 1 }

    /// The bytes of a token; empty for an unused id.
    subscript(id: TokenID) -> ArraySlice<UInt8> {
        guard id >= 0, Int(id) < count else { return [] }
        return bytes[Int(starts[Int(id)])..<Int(starts[Int(id) + 1])]
    }
}
