import FlyingSocks

/// A body that is sent piece by piece and may end in an error, at which FlyingFox closes the connection.
struct BrokenBody: AsyncBufferedSequence {
    typealias Element = UInt8

    let bytes: [UInt8]
    let endsWithError: Bool

    func makeAsyncIterator() -> Iterator { Iterator(body: self) }

    struct Iterator: AsyncBufferedIteratorProtocol {
        let body: BrokenBody
        var offset = 0

        mutating func nextBuffer(suggested count: Int) async throws -> ArraySlice<UInt8>? {
            guard offset < body.bytes.count else {
                if body.endsWithError { throw SocketError.disconnected }
                return nil
            }

            let piece = body.bytes[offset...].prefix(count)
            offset = piece.endIndex
            return piece
        }

        mutating func next() async throws -> UInt8? {
            try await nextBuffer(suggested: 1)?.first
        }
    }
}
