import ActivationPipeline
import ArgumentParser
import CatalogViewer
import FeatureCatalog
import Foundation
@preconcurrency import Glibc
import Synchronization
import TerminalOutput

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "serve",
        abstract: "Show a catalog in a browser: dictionaries, features, contexts, runs, search, and prompts.",
        discussion: """
            Prints one line on standard output, 'Listening on http://127.0.0.1:PORT/', once it answers, and serves \
            until \
            it is interrupted. Nothing is written, unless --review lets features be judged. Only this machine reaches \
            it unless --host says otherwise; there is no password. Each page's address with .json behind its path \
            gives its data. With --model, texts can be read (what fires on each of their tokens) and \
            continued with a feature steered.

            Examples:
              routesae serve c.sqlite
              routesae serve c.sqlite --port 8080 --model Demo/model
              routesae serve c.sqlite --review
            """)

    @OptionGroup var catalog: CatalogArgument
    @Option(help: "The address to listen on; 0.0.0.0 for all of this machine's.")
    var host = "127.0.0.1"
    @Option(help: "The port; 0 for any that is free.")
    var port: UInt16 = 0
    @Option(help: "Folder of the language model, to read and steer prompts.")
    var model: String?
    @Flag(help: "Let features be judged blind, as in 'routesae review'; verdicts are written to the catalog.")
    var review = false
    @OptionGroup var options: RunOptions

    func run() throws {
        Interruption.watch()
        var settings = ViewerServer.Settings(catalog: catalog.catalog, host: host, port: port, model: model)
        settings.review = review
        settings.spelling = { OptionNames.spelled($0) }
        let server = try ViewerServer(settings, workers: options.workers)
        if !server.isLoopback {
            options.say(
                "everybody who reaches \(host) can read this catalog\(review ? " and judge its features" : ""); "
                    + "there is no password")
        }
        let serving = Serving()
        Task {
            do {
                try await server.run { address in
                    StandardStreams.write("Listening on \(address)\n")
                    fflush(nil)
                }
            } catch { serving.end(error) }
            serving.end(nil)
        }
        while !Interruption.isRequested, !serving.hasEnded { Thread.sleep(forTimeInterval: 0.05) }
        if let error = serving.error, !Interruption.isRequested { throw error }
        server.stop()
    }
}

/// How serving ended, as the task that serves tells the thread that waits.
private final class Serving: Sendable {
    private let state = Mutex<(hasEnded: Bool, error: (any Error)?)>((false, nil))

    var hasEnded: Bool { state.withLock(\.hasEnded) }
    var error: (any Error)? { state.withLock(\.error) }

    /// Notes the end; only the first counts.
    func end(_ error: (any Error)?) {
        state.withLock { state in
            if !state.hasEnded { state = (true, error) }
        }
    }
}
