import CatalogViewer
import Foundation
import LinearAlgebra

/// A server on a port of its own, for the length of a test.
enum ServedCatalog {
    /// Serves a catalog while `body` runs.
    ///
    /// - Parameters:
    ///   - change: changes the server's settings.
    ///   - body: given the port.
    /// - Throws: what `body` throws, and why the server could not serve or ended by itself.
    static func serve(
        _ path: String, model: String? = nil, change: (inout ViewerServer.Settings) -> Void = { _ in },
        _ body: @Sendable @escaping (_ port: UInt16) async throws -> Void
    ) async throws {
        var settings = ViewerServer.Settings(catalog: path, model: model)
        change(&settings)
        let server = try ViewerServer(settings, workers: Workers(threads: 2))
        let (addresses, continuation) = AsyncStream<String>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { continuation.finish() }
                try await server.run { continuation.yield($0) }
            }
            group.addTask {
                defer { server.stop() }
                var iterator = addresses.makeAsyncIterator()
                guard let address = await iterator.next(),
                    let port = URL(string: address)?.port.flatMap({ UInt16(exactly: $0) })
                else { throw HTTPClient.Failure(what: "the server named no port") }
                try await body(port)
            }
            try await group.waitForAll()
        }
    }
}
