import BrowserSupport
import Foundation
import JSON
import TestSupport
import Testing

/// Pictures of every page for a person to look at: of the catalog `ROUTESAE_CATALOG` names, into the folder
/// `ROUTESAE_SCREENSHOTS` names. Beside each file name it prints when the page was first painted.
extension BrowserTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let folder = environment["ROUTESAE_SCREENSHOTS"]

    /// A catalog that somebody made.
    private struct NamedCatalog: ServedWorld {
        let path: String
    }

    /// Pages of a catalog with at least one dictionary, by the name of their picture.
    private static func pages(feature: String) -> [(name: String, address: String)] {
        [
            ("catalog", "/"), ("dictionary", "/dictionaries/1"), ("features", "/dictionaries/1/features"),
            ("feature", "/dictionaries/1/features/\(feature)"),
            ("passage", "/dictionaries/1/features/\(feature)/contexts/top/0"), ("run", "/runs/1"),
            ("search", "/search?q=count"), ("compare", "/compare"), ("prompt", "/prompt"),
            ("error", "/dictionaries/1/features/999999999"),
        ]
    }

    @Test(.enabled(if: folder != nil, "ROUTESAE_SCREENSHOTS names no folder"))
    func picturesOfEveryPage() async throws {
        let folder = URL(filePath: try #require(Self.folder))
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let world: any ServedWorld =
            try Self.environment["ROUTESAE_CATALOG"].map { NamedCatalog(path: $0) } ?? BrowsedWorld()
        let pages = Self.pages(feature: Self.environment["ROUTESAE_FEATURE"] ?? "0")
        try await serve(world) { site, browser in
            for width in [380, 1280] {
                for scheme in BrowserWindow.Scheme.allCases {
                    try await browser.tab(BrowserWindow(width: width, scheme: scheme)) { tab in
                        for page in pages {
                            try await tab.open(site + page.address)
                            if page.name == "prompt" {
                                try await tab.fill("#text", "And Adam begat sons. SELECT count(*) FROM t1;")
                                try await tab.click("form.prompt button")
                                try await tab.wait("tokens", until: "document.querySelector('.strip') !== null")
                            }
                            let name = "\(page.name)-\(width)-\(scheme).png"
                            try await tab.screenshot(height: 3000).write(to: folder.appending(path: name))
                            let paint = try await tab.evaluate(
                                "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1")
                            print("\(name): first paint after \(Int(paint.double ?? -1)) ms")
                        }
                    }
                }
            }
        }
    }
}
