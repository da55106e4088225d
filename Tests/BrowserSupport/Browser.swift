import Foundation
import Glibc
import JSON
import Synchronization

/// The browser of this process: started when it is first asked for, ended when the process ends.
package struct Browser: Sendable {
    /// Whether one is installed.
    package static var isInstalled: Bool { BrowserProcess.executable != nil }

    private static let shared = Mutex<(process: BrowserProcess, browser: Browser)?>(nil)

    let connection: DevToolsConnection

    /// The browser, started if need be.
    ///
    /// - Throws: `BrowserProblem` if none is installed, or it does not start.
    package static func running() throws -> Browser {
        try shared.withLock { known in
            if let known { return known.browser }
            let process = try BrowserProcess()
            atexit { Browser.stop() }
            let browser = Browser(connection: DevToolsConnection(process))
            known = (process, browser)
            return browser
        }
    }

    private static func stop() {
        shared.withLock { known in
            known?.process.stop()
            known = nil
        }
    }

    /// Opens an empty tab that shares nothing with others while `body` runs.
    ///
    /// - Parameter window: its size, and what a page may find out about its reader.
    package func tab<Result: Sendable>(
        _ window: BrowserWindow = BrowserWindow(), _ body: @Sendable (BrowserTab) async throws -> Result
    ) async throws -> Result {
        let context = try await connection.call("Target.createBrowserContext")["browserContextId"] ?? .null
        do {
            let target =
                try await connection.call(
                    "Target.createTarget", ["url": .string("about:blank"), "browserContextId": context])["targetId"]
                ?? .null
            let attached = try await connection.call(
                "Target.attachToTarget", ["targetId": target, "flatten": .boolean(true)])
            let tab = BrowserTab(connection, session: attached["sessionId"]?.string ?? "")
            try await tab.prepare(window)
            let result = try await body(tab)
            tab.close()
            try await connection.call("Target.disposeBrowserContext", ["browserContextId": context])
            return result
        } catch {
            _ = try? await connection.call("Target.disposeBrowserContext", ["browserContextId": context])
            throw error
        }
    }
}

/// The window that a page is shown in, and its reader's preferences.
package struct BrowserWindow: Sendable {
    /// What a reader prefers.
    package enum Scheme: String, Sendable, CaseIterable {
        case light
        case dark
    }

    /// In CSS pixels.
    package var width: Int
    /// In CSS pixels.
    package var height: Int
    /// The colours preferred.
    package var scheme: Scheme
    /// Whether scripts run.
    package var runsScripts: Bool

    /// Describes a window.
    package init(width: Int = 1280, height: Int = 900, scheme: Scheme = .light, runsScripts: Bool = true) {
        (self.width, self.height, self.scheme, self.runsScripts) = (width, height, scheme, runsScripts)
    }
}
