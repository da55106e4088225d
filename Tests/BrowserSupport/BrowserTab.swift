package import Foundation
package import JSON
import Synchronization

/// A tab: goes to addresses, evaluates expressions, and keeps what went wrong.
package final class BrowserTab: Sendable {
    private let connection: DevToolsConnection
    private let session: String
    private let record = Mutex(FaultRecord())

    init(_ connection: DevToolsConnection, session: String) {
        (self.connection, self.session) = (connection, session)
    }

    /// Errors and warnings of the console, exceptions, failed requests and dialogs since the last call.
    package func faults() -> [String] {
        record.withLock { record in
            defer { record.faults = [] }
            return record.faults
        }
    }

    /// Switches the events on and sets the window.
    func prepare(_ window: BrowserWindow) async throws {
        connection.listen(to: session) { [weak self] event, parameters in self?.hear(event, parameters) }
        for domain in ["Page", "Runtime", "Log", "Network"] { try await call("\(domain).enable") }
        try await call("Emulation.setFocusEmulationEnabled", ["enabled": .boolean(true)])
        try await resize(window.width, window.height)
        try await prefer(window.scheme)
        if !window.runsScripts { try await call("Emulation.setScriptExecutionDisabled", ["value": .boolean(true)]) }
    }

    func close() { connection.listen(to: session, nil) }

    @discardableResult
    func call(_ method: String, _ parameters: JSONObject = [:]) async throws -> JSONValue {
        try await connection.call(method, parameters, session: session)
    }

    /// Changes the window's size; narrow ones are those of telephones.
    package func resize(_ width: Int, _ height: Int) async throws {
        try await call(
            "Emulation.setDeviceMetricsOverride",
            [
                "width": .integer(width), "height": .integer(height), "deviceScaleFactor": .integer(1),
                "mobile": .boolean(width < 600),
            ])
    }

    /// Changes the colours that the reader prefers.
    package func prefer(_ scheme: BrowserWindow.Scheme) async throws {
        let feature: JSONObject = ["name": .string("prefers-color-scheme"), "value": .string(scheme.rawValue)]
        try await call("Emulation.setEmulatedMedia", ["features": .array([.object(feature)])])
    }

    /// Lets what the tab asks for come no faster than so many bytes a second, in pieces.
    package func slow(to bytesPerSecond: Int) async throws {
        try await call(
            "Network.emulateNetworkConditions",
            [
                "offline": .boolean(false), "latency": .integer(0), "downloadThroughput": .integer(bytesPerSecond),
                "uploadThroughput": .integer(-1),
            ])
    }

    /// Goes to an address and waits until the page is complete.
    package func open(_ address: String) async throws {
        let reply = try await call("Page.navigate", ["url": .string(address)])
        if let problem = reply["errorText"]?.string { throw BrowserProblem("\(address): \(problem)") }
        try await wait("\(address) to load", until: "document.readyState === 'complete'")
    }

    /// The value of a JavaScript expression, a promise's once it is kept.
    ///
    /// - Throws: `BrowserProblem` with the exception's text.
    @discardableResult
    package func evaluate(_ expression: String) async throws -> JSONValue {
        for _ in 0..<10 {
            do { return try await answer(to: expression) } catch let problem as BrowserProblem
                where problem.description.hasSuffix("Inspected target navigated or closed")
            {
                // The page was left while it was asked; the next one answers.
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        return try await answer(to: expression)
    }

    private func answer(to expression: String) async throws -> JSONValue {
        let reply = try await call(
            "Runtime.evaluate",
            [
                "expression": .string(expression), "returnByValue": .boolean(true), "awaitPromise": .boolean(true),
            ])
        if let problem = reply["exceptionDetails"] {
            let text = problem["exception"]?["description"]?.string ?? problem["text"]?.string ?? "failed"
            throw BrowserProblem("\(text) in \(expression.prefix(200))")
        }
        return reply["result"]?["value"] ?? .null
    }

    /// Waits until an expression is true; one that fails while a page changes is asked again.
    ///
    /// - Parameter what: is named if it does not happen in time.
    package func wait(_ what: String, until expression: String) async throws {
        // Other tests may keep this one from asking; it has asked often before it gives up.
        let end = ContinuousClock.now + .seconds(30)
        var (last, count) = ("false", 0)
        while ContinuousClock.now < end || count < 300 {
            count += 1
            do {
                let value = try await evaluate(expression)
                if value == .boolean(true) { return }
                last = "\(value)"
            } catch { last = "\(error)" }
            try await Task.sleep(for: .milliseconds(10))
        }
        let place = (try? await evaluate("location.href"))?.string ?? "nowhere"
        throw BrowserProblem("waited in vain for \(what) at \(place); \(expression) is \(last)")
    }

    /// A picture of the page as PNG, of at most `height` pixels from its top.
    package func screenshot(height: Int) async throws -> Data {
        let size = try await call("Page.getLayoutMetrics")["cssContentSize"]
        let area: JSONObject = [
            "x": .integer(0), "y": .integer(0), "width": .number(size?["width"]?.double ?? 1),
            "height": .number(min(Double(height), size?["height"]?.double ?? 1)), "scale": .integer(1),
        ]
        let reply = try await call(
            "Page.captureScreenshot", ["captureBeyondViewport": .boolean(true), "clip": .object(area)])
        guard let data = reply["data"]?.string.flatMap({ Data(base64Encoded: $0) }) else {
            throw BrowserProblem("no picture came")
        }
        return data
    }

    private func hear(_ event: String, _ parameters: JSONValue) {
        record.withLock { $0.hear(event, parameters) }
        // A page stands still until its dialog is answered.
        guard event == "Page.javascriptDialogOpening" else { return }
        Task { try? await call("Page.handleJavaScriptDialog", ["accept": .boolean(false)]) }
    }
}
