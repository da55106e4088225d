import FeatureCatalog
import FlyingFox
import FlyingSocks
import Foundation
package import LinearAlgebra

/// Serves the pages of one catalog, for reading only.
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
        /// Turns names of settings in backticks, in commands that pages show, into what a person types.
        package var spelling: @Sendable (String) -> String = { $0.replacing("`", with: "") }

        /// Describes a server.
        package init(catalog: String, host: String = "127.0.0.1", port: UInt16 = 0, model: String? = nil) {
            (self.catalog, self.host, self.port, self.model) = (catalog, host, port, model)
        }
    }

    /// Requests worked on at once, and waiting beside those.
    private static let (working, waiting) = (4, 256)
    /// Bytes of a form.
    private static let longestForm = 64 << 10
    /// Seconds until a request is given up.
    private static let patience = 60.0

    private let settings: Settings
    private let site: Site
    private let hosts: HostCheck
    private let gate = RequestGate(limit: ViewerServer.working, waitingLimit: ViewerServer.waiting)
    private let server: HTTPServer

    /// Opens the catalog once, so that it is known to be one.
    ///
    /// - Throws: `CatalogError`; `WorkflowError.usage` for what is no address.
    package init(_ settings: Settings, workers: Workers) throws {
        try Catalog.open(at: settings.catalog, mode: .readOnly).close()
        self.settings = settings
        site = Site(
            path: settings.catalog, prompts: settings.model.map { PromptService(model: $0, workers: workers) },
            workers: workers, spelling: settings.spelling,
            formToken: (0..<4).map { _ in String(UInt32.random(in: .min ... .max), radix: 36) }.joined())
        hosts = HostCheck(address: settings.host, machine: ProcessInfo.processInfo.hostName)
        let address = try ListeningAddress(settings.host, port: settings.port)
        server =
            switch address {
            case .version4(let address):
                HTTPServer(config: .init(address: address, timeout: Self.patience, logger: .disabled))
            case .version6(let address):
                HTTPServer(config: .init(address: address, timeout: Self.patience, logger: .disabled))
            }
    }

    /// Whether only this machine reaches it.
    package var isLoopback: Bool { hosts.isLoopback }

    /// Serves until stopped.
    ///
    /// - Parameter listening: told the address once the server answers.
    /// - Throws: an error for an address that cannot be listened on.
    package func run(listening: @escaping @Sendable (_ address: String) -> Void) async throws {
        await server.appendRoute("*") { [self] request in await answer(request) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.server.run() }
            group.addTask {
                try await self.server.waitUntilListening()
                listening(await self.address())
            }
            try await group.waitForAll()
        }
    }

    /// Stops serving.
    package func stop() async { await server.stop(timeout: 1) }

    private func address() async -> String {
        let (host, port): (String, UInt16) =
            switch await server.listeningAddress {
            case .ip4(let host, port: let port): (host, port)
            case .ip6(let host, port: let port): ("[\(host)]", port)
            case .unix, nil: (settings.host, settings.port)
            }
        return "http://\(host):\(port)/"
    }

    private func answer(_ request: HTTPRequest) async -> HTTPResponse {
        let start = ContinuousClock.now
        var response = await response(to: request)
        let isHead = request.method.rawValue == "HEAD"
        var headers = Self.safety
        headers[.contentType] = response.type
        headers[.contentLength] = "\(response.body.count)"
        headers[.cacheControl] = response.isFixed ? "max-age=31536000, immutable" : "no-store"
        let milliseconds = (ContinuousClock.now - start) / .milliseconds(1)
        headers[HTTPHeader("Server-Timing")] = "total;dur=\(milliseconds)"
        if response.status == 405 { headers[HTTPHeader("Allow")] = "GET, HEAD" }
        if response.status == 503 { headers[HTTPHeader("Retry-After")] = "1" }
        if response.status < 200 { response.status = 500 }
        return HTTPResponse(
            statusCode: HTTPStatusCode(response.status, phrase: Self.phrase(response.status)), headers: headers,
            body: isHead ? Data() : Data(response.body))
    }

    private func response(to request: HTTPRequest) async -> ViewerResponse {
        guard hosts.accepts(request.headers[.host]) else {
            return .text("This server answers to its own address alone.", status: 421)
        }
        guard let method = ViewerRequest.Method(rawValue: request.method.rawValue) else {
            return .text("GET and HEAD are understood.", status: 405)
        }
        let (path, query) = (request.target.path(), request.target.query())
        guard path.utf8.count + query.utf8.count <= FormFields.longestQuery else {
            return .text("The address is too long.", status: 414)
        }
        var form = ""
        if method == .post {
            switch await posted(request) {
            case .success(let text): form = text
            case .failure(let problem): return .text(problem.message, status: problem.status)
            }
        }
        let asked = ViewerRequest(method: method, path: path, query: query, form: form)
        let answer = await gate.run { [site] in site.answer(asked) }
        return answer ?? .text("Too many requests at once; try again in a moment.", status: 503)
    }

    /// The form of a request that came from one of our own pages.
    private func posted(_ request: HTTPRequest) async -> Result<String, ViewerProblem> {
        let host = request.headers[.host] ?? ""
        let site = request.headers[HTTPHeader("Sec-Fetch-Site")]
        guard request.headers[HTTPHeader("Origin")] == "http://" + host, site == nil || site == "same-origin" else {
            return .failure(ViewerProblem(403, "A prompt is posted from this server's own page."))
        }
        guard let length = request.headers[.contentLength].flatMap({ Int($0) }) else {
            return .failure(ViewerProblem(411, "The length of the form is missing."))
        }
        guard length <= Self.longestForm else { return .failure(ViewerProblem(413, "The prompt is too long.")) }
        guard let body = try? await request.bodyData else {
            return .failure(ViewerProblem(400, "The form is cut off."))
        }
        let text = String(decoding: body, as: UTF8.self)
        guard FormFields(text)["token"] == self.site.formToken else {
            return .failure(ViewerProblem(403, "The page is from an earlier start of the server; load it again."))
        }
        return .success(text)
    }

    /// What keeps a page from doing anything but being shown.
    private static let safety: HTTPHeaders = {
        var headers = HTTPHeaders()
        headers[HTTPHeader("Content-Security-Policy")] =
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
            + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        headers[HTTPHeader("X-Content-Type-Options")] = "nosniff"
        headers[HTTPHeader("Referrer-Policy")] = "same-origin"
        headers[HTTPHeader("Cross-Origin-Opener-Policy")] = "same-origin"
        headers[HTTPHeader("Cross-Origin-Resource-Policy")] = "same-origin"
        return headers
    }()

    private static func phrase(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 400: "Bad Request"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 409: "Conflict"
        case 411: "Length Required"
        case 413: "Payload Too Large"
        case 414: "URI Too Long"
        case 421: "Misdirected Request"
        case 503: "Service Unavailable"
        default: "Internal Server Error"
        }
    }
}
