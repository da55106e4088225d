import Glibc

/// Writes to a pipe, a socket or a file, without blocking for longer than a moment while a reader is slow.
struct PipeWriter {
    /// Why nothing more is written.
    enum Failure: Error, Equatable {
        /// The reader has closed the pipe.
        case closed
        /// The wait was ended from outside.
        case stopped
        /// The system's reason.
        case unwritable(String)
    }

    let descriptor: Int32

    /// Milliseconds of one wait.
    private static let patience: Int32 = 200
    /// Bytes that a pipe takes at once where it takes any: a write of more could block until they are read.
    private static let piece = Int(PIPE_BUF)

    /// Prepares to write: a reader that goes away is then an error and no signal.
    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        signal(SIGPIPE, SIG_IGN)
    }

    /// Writes all bytes.
    ///
    /// - Parameter stopped: asked while the reader is slow.
    func write(_ bytes: UnsafeRawBufferPointer, stopped: () -> Bool) throws(Failure) {
        var done = 0
        while done < bytes.count {
            var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            let ready = poll(&waiting, 1, Self.patience)
            if stopped() { throw .stopped }
            if ready < 0, errno != EINTR { throw .unwritable(String(cString: strerror(errno))) }
            guard ready > 0 else { continue }
            let count = Glibc.write(
                descriptor, bytes.baseAddress.map { $0 + done }, min(bytes.count - done, Self.piece))
            if count >= 0 {
                done += count
            } else if errno == EPIPE {
                throw .closed
            } else if errno != EINTR, errno != EAGAIN {
                throw .unwritable(String(cString: strerror(errno)))
            }
        }
    }
}
