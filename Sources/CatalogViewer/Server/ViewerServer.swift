import ActivationPipeline
import FeatureCatalog
import Foundation
import Glibc
package import LinearAlgebra

/// Serves the pages of one catalog.
package final class ViewerServer: Sendable {
    /// What is served, and where.
    package struct Settings: Sendable {
        /// The catalog.
        package var catalog: String
        /// The address to listen on.
        package var host = "127.0.0.1"
        /// The port; 0 for any that is free.
        package var port: UInt16 = 0
        /// Folder of the language model, for prompts.
        package var model: String?
        /// Whether features are judged, which writes to the catalog.
        package var review = false
        /// Turns names of settings in backticks, in commands that pages show, into what a person types.
        package var spelling: @Sendable (String) -> String = { PublicMessage.plain($0) }
        /// What a client can take.
        package var limits = ServingLimits()

        /// Describes a server.
        package init(catalog: String, host: String = "127.0.0.1", port: UInt16 = 0, model: String? = nil) {
            (self.catalog, self.host, self.port, self.model) = (catalog, host, port, model)
        }
    }

    private let settings: Settings
    private let site: Site
    private let hosts: HostCheck
    private let gate: WorkGate
    private let connections: OpenConnections
    private let socket: ListeningSocket

    /// Opens the catalog once, so that it is known to be one, opens the model, and listens.
    ///
    /// - Throws: `CatalogError`; what `ModelFolder` throws; `WorkflowError.usage` for what is no address, `.refused`
    ///   for one that cannot be listened on.
    package init(_ settings: Settings, workers: Workers) throws {
        try Catalog.open(at: settings.catalog, mode: .readOnly).close()
        self.settings = settings
        var site = Site(
            path: settings.catalog, prompts: try settings.model.map { try PromptService(model: $0, workers: workers) },
            reviews: settings.review ? try ReviewDesk(path: settings.catalog) : nil, workers: workers,
            spelling: settings.spelling,
            formToken: (0..<4).map { _ in String(UInt32.random(in: .min ... .max), radix: 36) }.joined())
        site.steeringSeconds = settings.limits.steeringSeconds
        self.site = site
        hosts = HostCheck(address: settings.host, machine: ProcessInfo.processInfo.hostName)
        gate = WorkGate(count: settings.limits.working, seconds: settings.limits.waitingSeconds)
        connections = OpenConnections(
            most: settings.limits.affordableConnections, stallSeconds: settings.limits.stallSeconds)
        socket = try ListeningSocket(host: settings.host, port: settings.port)
    }

    /// Whether only this machine reaches it.
    package var isLoopback: Bool { hosts.isLoopback }

    /// Serves until stopped.
    ///
    /// - Parameter listening: told the address before the first request is answered.
    /// - Throws: `WorkflowError.refused` where serving ended by itself, with the reason.
    package func run(listening: @escaping @Sendable (_ address: String) -> Void) async throws {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { [self] in continuation.resume(with: Result { try serve(listening) }) }
        }
    }

    /// Stops serving: no further request is taken, and those that are worked on have ten seconds to end.
    package func stop() {
        socket.stop()
        for _ in 0..<1000 {
            connections.stop()
            guard !connections.isEmpty else { return }
            Thread.sleep(forTimeInterval: 0.01)
        }
    }

    /// Takes connections, each served by a thread of its own, since SQLite and models block.
    private func serve(_ listening: (_ address: String) -> Void) throws {
        let host = settings.host == "localhost" ? "127.0.0.1" : settings.host
        listening("http://\(host.contains(":") ? "[\(host)]" : host):\(socket.port)/")
        while let descriptor = try socket.next() {
            guard connections.admit(descriptor) else { continue }
            let connection = HTTPConnection(
                descriptor, limits: settings.limits, among: connections,
                answer: { [self] in answer($0) },
                refusal: { HTTPReply.bytes(.text($0), isHead: false, keepsAlive: false) })
            Thread.detachNewThread { connection.serve() }
        }
    }

    /// An answer, and its bytes.
    private struct Answer: Sendable {
        let status: Int
        let bytes: [UInt8]
    }

    private func answer(_ request: HTTPRequest) -> [UInt8] {
        let start = ContinuousClock.now
        let reply: @Sendable (() -> ViewerResponse) -> Answer = { work in
            let computed = Self.processorSeconds
            let response = work()
            return Answer(
                status: response.status,
                bytes: HTTPReply.bytes(
                    response, isHead: request.method == "HEAD", keepsAlive: request.keepsAlive,
                    times: (
                        (ContinuousClock.now - start) / .milliseconds(1), 1000 * (Self.processorSeconds - computed)
                    )))
        }
        let asked: ViewerRequest
        switch admit(request) {
        case .asked(let admitted): asked = admitted
        case .refused(let response): return reply { response }.bytes
        }
        let work: @Sendable () -> Answer = { [site] in reply { site.answer(asked) } }
        let answer = site.writes(asked) ? write(work) : gate.run(work)
        let refusal = ViewerProblem(503, "Too many requests at once; try again in a moment.")
        return (answer ?? reply { .text(refusal) }).bytes
    }

    /// Seconds that this thread has computed.
    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
    }

    /// What a request comes to before anything is worked on.
    private enum Admission {
        case asked(ViewerRequest)
        case refused(ViewerResponse)
    }

    private func admit(_ request: HTTPRequest) -> Admission {
        guard hosts.accepts(request.headers["host"]) else {
            return .refused(.text(ViewerProblem(421, "This server answers to its own address alone.")))
        }
        var asked = ViewerRequest(path: request.path, query: request.query)
        let methods = site.methods(of: asked)
        guard let method = ViewerRequest.Method(rawValue: request.method), methods.contains(method) else {
            let allowed = methods.map(\.rawValue)
            let problem = ViewerProblem(
                405, "this address takes \(allowed.joined(separator: ", "))", allowed: allowed)
            return .refused(site.problem(problem, asked))
        }
        asked.method = method
        if method == .post {
            do { asked.form = try form(of: request) } catch { return .refused(.text(error)) }
        }
        return .asked(asked)
    }

    /// Runs what writes. While it cannot, because another process writes or a request takes long, pages are answered
    /// between the attempts.
    ///
    /// - Returns: nil if its turn did not come in time.
    private func write(_ work: @escaping @Sendable () -> Answer) -> Answer? {
        let start = ContinuousClock.now
        while true {
            let answer = gate.runAlone(seconds: Self.longestHold, work)
            if let answer, answer.status != 503 { return answer }
            let patience = answer == nil ? settings.limits.waitingSeconds : settings.limits.writingSeconds
            guard ContinuousClock.now - start < .seconds(patience) else { return answer }
            Thread.sleep(forTimeInterval: Self.pause)
        }
    }

    /// Seconds that an attempt to write keeps others waiting until it is alone.
    private static let longestHold = 0.25
    /// Seconds between two attempts.
    private static let pause = 0.1

    /// The form of a request that came from one of our own pages.
    ///
    /// - Throws: `ViewerProblem` 403 for one from elsewhere, 411 for one without a length.
    private func form(of request: HTTPRequest) throws(ViewerProblem) -> FormFields {
        let site = request.headers["sec-fetch-site"]
        guard request.headers["origin"] == "http://" + (request.headers["host"] ?? ""),
            site == nil || site == "same-origin"
        else { throw ViewerProblem(403, "A form is posted from this server's own page.") }
        guard request.headers["content-length"] != nil else {
            throw ViewerProblem(411, "The length of the form is missing.")
        }
        let fields = FormFields(String(decoding: request.body, as: UTF8.self))
        guard fields["token"] == self.site.formToken else {
            throw ViewerProblem(403, "The page is from an earlier start of the server; load it again.")
        }
        return fields
    }
}
