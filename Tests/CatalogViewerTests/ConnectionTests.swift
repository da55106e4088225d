import CatalogViewer
import Glibc
import Testing

/// Clients that send too much, too slowly, or from too many connections.
@Suite struct ConnectionTests {
    private let world: HostileWorld

    init() throws {
        world = try HostileWorld()
    }

    private static func status(_ bytes: [UInt8]) throws -> Int { try HTTPClient.parse(bytes).status }

    private static func isAnswered(_ port: UInt16) async throws -> Bool {
        try await HTTPClient.ask("/", port: port).status == 200
    }

    @Test func endlessHeadersAreCutOff() async throws {
        try await ServedCatalog.serve(world.path) { port in
            try await withThrowingTaskGroup(of: (sent: Int, status: Int).self) { group in
                for _ in 0..<3 {
                    group.addTask {
                        try await HTTPClient.apart {
                            let socket = try HTTPClient.connection(port: port)
                            defer { close(socket) }
                            HTTPClient.write(Array("GET / HTTP/1.1\r\nHost: localhost\r\n".utf8), on: socket)
                            let line = Array("X-Filler: \(String(repeating: "x", count: 1000))\r\n".utf8)
                            var sent = 0
                            // 64 MiB at most: a server that goes on reading fails the test instead of hanging it.
                            while sent < 64 << 20, HTTPClient.write(line, on: socket) == line.count {
                                sent += line.count
                            }
                            return (sent, (try? Self.status(try HTTPClient.read(socket))) ?? 0)
                        }
                    }
                }
                for try await (sent, status) in group {
                    #expect(sent < 64 << 20)
                    // The answer may be lost where bytes were on the way as the connection was closed.
                    #expect(status == 431 || status == 0)
                }
            }
            #expect(try await Self.isAnswered(port))
        }
    }

    @Test func longHeadersAreRefused() async throws {
        try await ServedCatalog.serve(world.path) { port in
            let long = "X: \(String(repeating: "x", count: 33 << 10))"
            let many = (0..<4000).map { "X\($0): y" }
            for headers in [[long], many] {
                let reply = try await HTTPClient.ask("/", port: port, headers: headers)
                #expect(reply.status == 431)
            }
            #expect(try await Self.isAnswered(port))
        }
    }

    /// A request that does not arrive is given up, byte by byte or cut off.
    @Test func slowRequestsAreGivenUp() async throws {
        try await ServedCatalog.serve(world.path, change: { $0.limits.requestSeconds = 0.4 }) { port in
            for start in [
                "G", "GET / HTTP/1.1\r\nHost: localhost\r\n", "POST /prompt HTTP/1.1\r\nContent-Length: 9\r\n\r\n",
            ] {
                let status = try await HTTPClient.apart {
                    let socket = try HTTPClient.connection(port: port)
                    defer { close(socket) }
                    HTTPClient.write(Array(start.utf8), on: socket)
                    return try Self.status(try HTTPClient.read(socket))
                }
                #expect(status == 408, "\(start)")
            }
            let nothing = try await HTTPClient.apart {
                let socket = try HTTPClient.connection(port: port)
                defer { close(socket) }
                return try HTTPClient.read(socket)
            }
            #expect(nothing.isEmpty)
            #expect(try await Self.isAnswered(port))
        }
    }

    /// Connections that send nothing keep nobody out, however many they are.
    @Test func idleConnectionsMakeRoom() async throws {
        let most = 6
        try await ServedCatalog.serve(
            world.path,
            change: {
                $0.limits.connections = most
                $0.limits.requestSeconds = 600
            }
        ) { port in
            let sockets = try await HTTPClient.apart { try (0..<40).map { _ in try HTTPClient.connection(port: port) } }
            for _ in 0..<3 { #expect(try await Self.isAnswered(port)) }
            // The server has ended all but the last ones; the test's side of those closes them.
            let ended = try await HTTPClient.apart {
                defer { for socket in sockets { close(socket) } }
                return try sockets.prefix(sockets.count - most).count { try HTTPClient.read($0).isEmpty }
            }
            #expect(ended == 40 - most)
            #expect(try await Self.isAnswered(port))
        }
    }

    /// With more clients than places, those that have sent a request wait for their turn and lose nothing.
    @Test func requestsThatWereSentAreAllAnswered() async throws {
        try await ServedCatalog.serve(
            world.path,
            change: {
                $0.limits.connections = 3
                $0.limits.working = 1
            }
        ) { port in
            let statuses = try await HTTPClient.apart {
                let sockets = try (0..<40).map { _ in
                    let socket = try HTTPClient.connection(port: port)
                    HTTPClient.write(
                        Array("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8), on: socket)
                    return socket
                }
                defer { for socket in sockets { close(socket) } }
                return try sockets.map { try Self.status(try HTTPClient.read($0)) }
            }
            #expect(statuses == Array(repeating: 200, count: 40))
        }
    }

    /// Clients that ask and do not read, or begin a request and do not end it, make room for others.
    @Test(
        "Stalled connections make room",
        arguments: [
            String(repeating: "GET /map.js HTTP/1.1\r\nHost: localhost\r\n\r\n", count: 200), "GET / HTTP/1.1\r\n",
        ])
    func stalledConnectionsMakeRoom(request: String) async throws {
        try await ServedCatalog.serve(
            world.path,
            change: {
                $0.limits.connections = 4
                $0.limits.requestSeconds = 600
                $0.limits.answerSeconds = 600
                $0.limits.stallSeconds = 0.2
            }
        ) { port in
            let sockets = try await HTTPClient.apart {
                try (0..<4).map { _ in
                    let socket = try HTTPClient.connection(port: port)
                    HTTPClient.write(Array(request.utf8), on: socket)
                    return socket
                }
            }
            defer { for socket in sockets { close(socket) } }
            for _ in 0..<3 { #expect(try await Self.isAnswered(port)) }
        }
    }

    @Test func aConnectionTakesSeveralRequests() async throws {
        try await ServedCatalog.serve(world.path) { port in
            let head = "GET /icon.svg HTTP/1.1\r\nHost: localhost\r\n"
            // The second arrives with the first, the last in two pieces.
            let replies = try await HTTPClient.apart {
                let socket = try HTTPClient.connection(port: port)
                defer { close(socket) }
                HTTPClient.write(Array((head + "\r\n" + head + "\r\n" + head).utf8), on: socket)
                HTTPClient.write(Array("Connection: close\r\n\r\n".utf8), on: socket)
                return String(decoding: try HTTPClient.read(socket), as: UTF8.self)
            }
            #expect(replies.matches(of: /HTTP\/1\.1 200 OK\r\n/).count == 3)
            #expect(replies.matches(of: /<svg/).count == 3)
            #expect(replies.matches(of: /Connection: keep-alive/).count == 2)
        }
    }

    @Test(
        "What is no request is refused",
        arguments: [
            ("\r\n\r\n", 400), ("GET\r\n\r\n", 400), ("GET /\r\n\r\n", 400), ("GET  / HTTP/1.1\r\n\r\n", 400),
            ("GET nope HTTP/1.1\r\n\r\n", 400), ("GET http://x/ HTTP/1.1\r\n\r\n", 400),
            ("GET / HTTP/2.0\r\n\r\n", 505), ("GET / HTTP/1.1 x\r\n\r\n", 400), ("G(T / HTTP/1.1\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost\r\n\r\n", 400), ("GET / HTTP/1.1\r\n : x\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n", 400),
            ("POST /prompt HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400),
            ("POST /prompt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n", 413),
            ("POST /prompt HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
            ("POST /prompt HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n\r\n", 411),
        ])
    func whatIsNoRequestIsRefused(bytes: String, status: Int) async throws {
        try await ServedCatalog.serve(world.path) { port in
            let reply = try await HTTPClient.apart {
                let socket = try HTTPClient.connection(port: port)
                defer { close(socket) }
                HTTPClient.write(Array(bytes.utf8), on: socket)
                shutdown(socket, Int32(SHUT_WR))
                return try HTTPClient.parse(try HTTPClient.read(socket))
            }
            #expect(reply.status == status, "\(bytes): \(reply.status)")
            #expect(!reply.text.contains("king"))
        }
    }
}
