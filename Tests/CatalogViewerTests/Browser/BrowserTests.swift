import BrowserSupport
import CatalogViewer
import Foundation
import TestSupport
import Testing
import WorkflowWorlds

/// The pages in a real browser, Chromium, one page after the other.
///
/// What a page does beside the numbers on it: no console error, no failed request, nothing that moves while it loads,
/// use by mouse and keyboard, colours that can be read.
@Suite(
    .serialized,
    .enabled(if: Browser.isInstalled, "chromium is not installed; `tools/bootstrap tests` installs it"))
struct BrowserTests {
    /// Serves a world's catalog while `body` runs, with the shipped model for prompts.
    ///
    /// - Parameters:
    ///   - review: whether features are judged.
    ///   - body: given the address of the catalog's page, without a slash at its end, and the browser.
    func serve(
        _ world: some ServedWorld, review: Bool = false,
        _ body: @Sendable @escaping (_ site: String, _ browser: Browser) async throws -> Void
    ) async throws {
        let browser = try Browser.running()
        try await ServedCatalog.serve(world.path, model: DemoModel.path, change: { $0.review = review }) { port in
            try await body("http://127.0.0.1:\(port)", browser)
        }
        // The file is there as long as the world is.
        withExtendedLifetime(world) {}
    }

    /// Opens the pages of `BrowsedWorld`, served once for all tests that only read.
    func onBrowsedWorld(
        _ body: @Sendable @escaping (_ world: BrowsedWorld, _ site: String, _ browser: Browser) async throws -> Void
    ) async throws {
        let shared = try await SharedSite.browsed.value
        try await body(shared.world, shared.address, try Browser.running())
    }

    /// The same for tests that need no more than the pages.
    func onBrowsedWorld(
        _ body: @Sendable @escaping (_ site: String, _ browser: Browser) async throws -> Void
    ) async throws {
        try await onBrowsedWorld { _, site, browser in try await body(site, browser) }
    }

    /// The numbers of the features on a list, in its order.
    func rows(_ tab: BrowserTab) async throws -> [Int] {
        try await tab.texts(".rows .id").compactMap { Int($0) }
    }
}

/// A catalog in a directory that ends with it.
protocol ServedWorld {
    /// The catalog.
    var path: String { get }
}

extension HostileWorld: ServedWorld {}
extension BrowsedWorld: ServedWorld {}

extension BrowserTab {
    /// Waits until the address ends in `end`, and the page there is complete.
    func arrive(at end: String) async throws {
        try await wait(
            "the page …\(end)",
            until: "location.href.endsWith(\(BrowserTab.quoted(end))) && document.readyState === 'complete'")
    }
}
