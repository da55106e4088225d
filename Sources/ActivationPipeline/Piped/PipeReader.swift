import Glibc

/// Reads a pipe, a socket or a file from its beginning to its end, without blocking for longer than a moment.
///
/// It has a descriptor of its own, which is closed with it.
final class PipeReader: Sendable {
    /// Why nothing more is read.
    enum Failure: Error, Equatable {
        /// The wait was ended from outside.
        case stopped
        /// The system's reason.
        case unreadable(String)
    }

    private let descriptor: Int32
    /// Milliseconds of one wait.
    private static let patience: Int32 = 200
    /// The size that a pipe's buffer is asked to have.
    private static let pipeBytes: Int32 = 1 << 20

    /// Opens another descriptor of what is open already.
    ///
    /// - Throws: `Failure.unreadable`.
    init(_ other: Int32) throws(Failure) {
        descriptor = fcntl(other, F_DUPFD_CLOEXEC, 3)
        guard descriptor >= 0 else { throw .unreadable(String(cString: strerror(errno))) }
        // A larger buffer means fewer turns; refused for what is no pipe, or beyond a user's limit, which does no harm.
        _ = fcntl(descriptor, Self.setPipeSize, Self.pipeBytes)
    }

    /// F_SETPIPE_SZ, which the module of the C library lacks.
    private static let setPipeSize: Int32 = 1031

    deinit { close(descriptor) }

    /// Fills a buffer.
    ///
    /// - Returns: the bytes read: fewer only at the end of the input.
    /// - Throws: `.stopped` where `stopped` says so while nothing comes.
    func read(into buffer: UnsafeMutableRawBufferPointer, stopped: () -> Bool) throws(Failure) -> Int {
        var done = 0
        while done < buffer.count {
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&waiting, 1, Self.patience)
            if stopped() { throw .stopped }
            if ready < 0, errno != EINTR { throw .unreadable(String(cString: strerror(errno))) }
            guard ready > 0 else { continue }
            let count = Glibc.read(descriptor, buffer.baseAddress.map { $0 + done }, min(buffer.count - done, 1 << 24))
            if count == 0 { return done }
            if count > 0 {
                done += count
            } else if errno != EINTR, errno != EAGAIN {
                throw .unreadable(String(cString: strerror(errno)))
            }
        }
        return done
    }
}
