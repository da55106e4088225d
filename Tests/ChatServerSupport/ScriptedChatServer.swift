import FlyingFox
import FlyingSocks
import Foundation

/// A real HTTP server on 127.0.0.1 that answers as its script says and remembers what it was asked.
///
///     try await ScriptedChatServer.run { request, call in
///         call == 1 ? .status(500) : .reply("yes")
///     } body: { server in
///         let exchange = try await onThread { try ChatClient(endpoint: server.endpoint).send(request) }
///         #expect(server.requests.count == 2)
///     }
///
/// The server shares the threads of Swift's tasks with all tests, so a test must not block one of them while it waits
/// for an answer: `onThread` takes the blocking call elsewhere.
package final class ScriptedChatServer: Sendable {
    /// Decides what a request gets; calls are counted from 1 in order of arrival.
    package typealias Script = @Sendable (ReceivedRequest, Int) -> ChatBehaviour

    private let server: HTTPServer
    private let log: RequestLog
    private let running: Task<Void, Never>

    /// The base address for a client, `http://127.0.0.1:port/v1`.
    package let endpoint: String

    /// What was asked so far, in order of arrival.
    package var requests: [ReceivedRequest] { log.requests }

    /// The most requests that were being answered at once.
    package var maximumInFlight: Int { log.maximumInFlight }

    /// Starts a server, gives it to `body` and stops it, whatever happens.
    package static func run<Result>(
        script: @escaping Script, body: (ScriptedChatServer) async throws -> Result
    ) async throws -> Result {
        let server = try await ScriptedChatServer(script: script)
        do {
            let result = try await body(server)
            await server.stop()
            return result
        } catch {
            await server.stop()
            throw error
        }
    }

    /// Starts a server on a port of the system's choice; `stop()` must follow.
    package init(script: @escaping Script) async throws {
        let log = RequestLog()
        let handler = ClosureHTTPHandler { request in
            var headers: [String: String] = [:]
            for (name, value) in request.headers { headers[name.rawValue.lowercased()] = value }
            let received = ReceivedRequest(
                method: request.method.rawValue, path: request.path, headers: headers,
                body: try await request.bodyData)
            let call = log.begin(received)
            defer { log.end() }
            return try await script(received, call).response()
        }
        // A hanging request hangs until the client goes or the server stops; an hour is for ever.
        let server = HTTPServer(
            address: try sockaddr_in.inet(ip4: "127.0.0.1", port: 0), timeout: 3_600, logger: .disabled,
            handler: handler)
        let running = Task<Void, Never> { try? await server.run() }
        try await server.waitUntilListening(timeout: 600)
        guard case .ip4(_, let port)? = await server.listeningAddress else { throw NoPort() }
        endpoint = "http://127.0.0.1:\(port)/v1"
        self.log = log
        self.server = server
        self.running = running
    }

    /// Closes all connections, those of hanging requests included.
    package func stop() async {
        await server.stop(timeout: 0)
        running.cancel()
        await running.value
    }

    private struct NoPort: Error {}
}
