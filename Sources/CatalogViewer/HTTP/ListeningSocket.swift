import ActivationPipeline
import Glibc
import Synchronization

/// A socket of this machine on which connections arrive.
final class ListeningSocket: Sendable {
    private let descriptor: Int32
    /// Bytes of an answer that the kernel keeps for a client that does not read, about half of what it takes.
    private static let sendBytes: Int32 = 128 << 10
    private let isStopped = Mutex(false)

    /// Listens on an address; `localhost` is 127.0.0.1.
    ///
    /// - Parameter port: 0 for any that is free.
    /// - Throws: `WorkflowError.usage` for what is no address, `.refused` for one that cannot be listened on.
    init(host: String, port: UInt16) throws(WorkflowError) {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host == "localhost" ? "127.0.0.1" : host, "\(port)", &hints, &found) == 0, let found else {
            throw .usage(
                "`host` is '\(host)'; it takes an address of this machine, such as 127.0.0.1, ::1, or 0.0.0.0 for all")
        }
        defer { freeaddrinfo(found) }
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        descriptor = socket(found.pointee.ai_family, type, 0)
        var one: Int32 = 1
        var sendBytes = Self.sendBytes
        // Connections inherit it. Where it is refused, the kernel's own bounds hold.
        setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &sendBytes, socklen_t(MemoryLayout<Int32>.size))
        guard descriptor >= 0,
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size)) == 0,
            bind(descriptor, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0, listen(descriptor, SOMAXCONN) == 0
        else {
            let reason = String(cString: strerror(errno))
            if descriptor >= 0 { Glibc.close(descriptor) }
            throw .refused("\(host):\(port) cannot be listened on (\(reason)); name another `host` or `port`")
        }
    }

    deinit { Glibc.close(descriptor) }

    /// The port.
    var port: UInt16 {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard getsockname(descriptor, address, &length) == 0 else { return 0 }
                // The port is at the same place in both kinds of address.
                return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    UInt16(bigEndian: $0.pointee.sin_port)
                }
            }
        }
    }

    /// Waits for a connection.
    ///
    /// - Returns: its descriptor, which does not block; nil once ``stop()`` was called.
    /// - Throws: `WorkflowError.refused` where no further connection can arrive.
    func next() throws(WorkflowError) -> Int32? {
        while !isStopped.withLock({ $0 }) {
            let connection = accept(descriptor, nil, nil)
            if connection >= 0 {
                _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
                _ = fcntl(connection, F_SETFL, O_NONBLOCK)
                return connection
            }
            switch errno {
            case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                // The connection waits in the queue until another has ended.
                usleep(20_000)
            case EBADF, EINVAL, ENOTSOCK, EOPNOTSUPP, EFAULT:
                guard !isStopped.withLock({ $0 }) else { return nil }
                throw .refused("serving ended: \(String(cString: strerror(errno)))")
            default:
                // What happened to this connection says nothing of the next.
                continue
            }
        }
        return nil
    }

    /// Takes no further connection; whoever waits for one returns.
    func stop() {
        isStopped.withLock { $0 = true }
        shutdown(descriptor, Int32(SHUT_RDWR))
    }
}
