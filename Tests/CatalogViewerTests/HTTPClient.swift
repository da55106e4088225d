import Foundation
import Glibc

/// Speaks HTTP over a socket of its own, so that a test decides every byte that is sent.
enum HTTPClient {
    /// What came back.
    struct Reply: Sendable {
        let status: Int
        /// Names in lower case.
        let headers: [String: String]
        let body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    struct Failure: Error {
        let what: String
    }

    /// Asks and reads the reply to its end, on a thread of its own: a test that blocked one of the few that tasks share
    /// would leave the server none.
    ///
    /// - Parameters:
    ///   - headers: besides `Host` and `Connection`; `Host` replaces the usual one.
    ///   - host: nil for the server's own.
    static func ask(
        _ path: String, port: UInt16, method: String = "GET", host: String? = nil, headers: [String] = [],
        body: String? = nil
    ) async throws -> Reply {
        var lines =
            ["\(method) \(path) HTTP/1.1", "Host: \(host ?? "127.0.0.1:\(port)")", "Connection: close"] + headers
        if let body { lines.append("Content-Length: \(body.utf8.count)") }
        return try await send(Array((lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")).utf8), port: port)
    }

    /// Sends bytes as they are.
    static func send(_ bytes: [UInt8], port: UInt16) async throws -> Reply {
        try await apart { try exchange(bytes, port: port) }
    }

    /// Runs what blocks on a thread of its own.
    static func apart<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
        }
    }

    /// Opens a connection, to be closed by the caller.
    static func connection(port: UInt16) throws -> Int32 {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { throw Failure(what: "no socket") }
        var timeout = timeval(tv_sec: 300, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else {
            close(socket)
            throw Failure(what: "no connection")
        }
        return socket
    }

    /// Sends bytes on a connection; fewer where the other side has closed it.
    ///
    /// - Returns: how many were sent.
    @discardableResult
    static func write(_ bytes: [UInt8], on socket: Int32) -> Int {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(truncatingIfNeeded: MSG_NOSIGNAL))
            }
            guard count > 0 else { break }
            sent += count
        }
        return sent
    }

    /// Reads what a connection still brings, until it is closed.
    ///
    /// - Throws: `Failure` if it stays open and brings nothing for five minutes: other tests may keep the processors long.
    static func read(_ socket: Int32) throws -> [UInt8] {
        var reply: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(socket, &piece, piece.count, 0)
            if count < 0, errno == EAGAIN { throw Failure(what: "the connection stays open") }
            guard count > 0 else { break }
            reply += piece[..<count]
        }
        return reply
    }

    private static func exchange(_ bytes: [UInt8], port: UInt16) throws -> Reply {
        let socket = try connection(port: port)
        defer { close(socket) }
        write(bytes, on: socket)
        return try parse(try read(socket))
    }

    static func parse(_ bytes: [UInt8]) throws -> Reply {
        let end = Array("\r\n\r\n".utf8)
        guard let border = bytes.indices.first(where: { bytes[$0...].starts(with: end) }) else {
            throw Failure(what: "no reply: \(String(decoding: bytes.prefix(200), as: UTF8.self))")
        }
        let lines = String(decoding: bytes[..<border], as: UTF8.self).components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ")
        guard words.count >= 2, let status = Int(words[1]) else { throw Failure(what: lines[0]) }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] =
                line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        return Reply(status: status, headers: headers, body: Array(bytes[(border + 4)...]))
    }
}
