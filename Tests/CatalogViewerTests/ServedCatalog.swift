import CatalogViewer
import Foundation
import LinearAlgebra

/// A server on a port of its own, for the length of a test.
enum ServedCatalog {
    /// Serves a catalog while `body` runs.
    ///
    /// - Parameter body: given the port.
    static func serve(
        _ path: String, model: String? = nil, _ body: @Sendable @escaping (_ port: UInt16) async throws -> Void
    ) async throws {
        let server = try ViewerServer(
            ViewerServer.Settings(catalog: path, model: model), workers: Workers(threads: 2))
        let (addresses, continuation) = AsyncStream<String>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do { try await server.run { continuation.yield($0) } } catch is CancellationError {} catch {
                    // Stopping closes the socket that is listened on.
                }
                continuation.finish()
            }
            group.addTask {
                for await address in addresses {
                    guard let port = URL(string: address)?.port.flatMap({ UInt16(exactly: $0) }) else {
                        throw HTTPClient.Failure(what: address)
                    }
                    do { try await body(port) } catch {
                        await server.stop()
                        throw error
                    }
                    await server.stop()
                    return
                }
            }
            try await group.waitForAll()
        }
    }
}
