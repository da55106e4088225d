import Glibc

/// The bytes of one connection, each read and write with a deadline.
struct ConnectionSocket: Sendable {
    /// Why there are no more bytes.
    enum Failure: Error {
        /// The deadline has passed.
        case late
        /// The other side has closed the connection, or it is broken.
        case closed
    }

    /// Its descriptor, which does not block.
    let descriptor: Int32

    /// Appends the next bytes, 16 KiB at most.
    ///
    /// - Throws: `Failure`.
    func read(into bytes: inout [UInt8], until deadline: ContinuousClock.Instant) throws(Failure) {
        var piece = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = recv(descriptor, &piece, piece.count, 0)
            if count > 0 {
                bytes += piece[..<count]
                return
            }
            guard count < 0, isTemporary(errno) else { throw .closed }
            try wait(for: POLLIN, until: deadline)
        }
    }

    /// Bytes that count as a part of an answer: fewer, again and again, are what keeps a place.
    private static let partBytes = 16 << 10

    /// Writes all of the bytes.
    ///
    /// - Parameter tookPart: called each time that the other side has taken a further 16 KiB.
    /// - Throws: `Failure`.
    func write(
        _ bytes: [UInt8], until deadline: ContinuousClock.Instant, tookPart: () -> Void
    ) throws(Failure) {
        var (sent, noted) = (0, 0)
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(truncatingIfNeeded: MSG_NOSIGNAL))
            }
            if count > 0 {
                sent += count
                if sent - noted >= Self.partBytes {
                    noted = sent
                    tookPart()
                }
            } else {
                guard count < 0, isTemporary(errno) else { throw .closed }
                try wait(for: POLLOUT, until: deadline)
            }
        }
    }

    /// Says that nothing more is written, and drops what still arrives, for a moment: closing a socket with unread
    /// bytes would take from the other side the answer that it has not read.
    func finish() {
        shutdown(descriptor, Int32(SHUT_WR))
        let deadline = ContinuousClock.now + .milliseconds(500)
        var dropped: [UInt8] = []
        for _ in 0..<64 {
            dropped.removeAll(keepingCapacity: true)
            guard (try? read(into: &dropped, until: deadline)) != nil else { return }
        }
    }

    private func isTemporary(_ code: Int32) -> Bool { code == EAGAIN || code == EWOULDBLOCK || code == EINTR }

    private func wait(for events: Int32, until deadline: ContinuousClock.Instant) throws(Failure) {
        let left = (deadline - .now) / .milliseconds(1)
        guard left > 0 else { throw .late }
        var watched = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        _ = poll(&watched, 1, Int32(min(left.rounded(.up), 60_000)))
    }
}
