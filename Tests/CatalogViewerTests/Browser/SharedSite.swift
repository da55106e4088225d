import CatalogViewer
import Foundation
import LinearAlgebra
import TestSupport
import WorkflowWorlds

/// A catalog that is served as long as the process runs, for tests that only read.
struct SharedSite: Sendable {
    /// The catalog.
    let world: BrowsedWorld
    /// The address of its first page, without a slash at its end.
    let address: String

    /// `BrowsedWorld` with the shipped model, its features to be judged.
    static let browsed = Task { try await SharedSite(try BrowsedWorld(in: TemporaryDirectory.ofProcess.get())) }

    /// The address of its pages as a folder, written once, without a slash at its end. The name has spaces, as a
    /// person's may.
    static let folder = Task {
        let folder = try TemporaryDirectory.ofProcess.get().file("pages of a catalog")
        try write(try await browsed.value.world.path, to: folder)
        return URL(filePath: folder).absoluteString
    }

    /// Writes the pages of a catalog as a folder.
    static func write(_ path: String, to folder: String) throws {
        _ = try HTMLExport(dictionary: nil, corpus: nil, folder: folder).run(
            on: path, workers: Workers(threads: 2), spelling: { PublicMessage.plain($0) })
    }

    private init(_ world: BrowsedWorld) async throws {
        self.world = world
        var settings = ViewerServer.Settings(catalog: world.path, model: DemoModel.path)
        settings.review = true
        let server = try ViewerServer(settings, workers: Workers(threads: 2))
        let (addresses, continuation) = AsyncStream<String>.makeStream()
        Task.detached {
            defer { continuation.finish() }
            try await server.run { continuation.yield($0) }
        }
        var iterator = addresses.makeAsyncIterator()
        guard let address = await iterator.next() else { throw HTTPClient.Failure(what: "the server does not listen") }
        self.address = String(address.dropLast())
    }
}
