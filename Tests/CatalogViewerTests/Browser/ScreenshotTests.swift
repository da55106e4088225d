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
            ("steer", "/prompt?dictionary=1&feature=\(feature)"), ("map", "/dictionaries/1/map"),
            ("map-feature", "/dictionaries/1/map#f\(feature)"), ("review", "/review?dictionary=1&reviewer=nobody"),
            ("error", "/dictionaries/1/features/999999999"),
        ]
    }

    /// Pages of a folder.
    private static func folderPages(feature: String) -> [(name: String, address: String)] {
        [
            ("folder-catalog", "index.html"), ("folder-dictionary", "dictionaries/1/index.html"),
            ("folder-features", "dictionaries/1/features.html"),
            ("folder-filtered", "dictionaries/1/features.html?where=p99+%3E+1&sort=firing_rate"),
            ("folder-feature", "dictionaries/1/feature.html?i=\(feature)"), ("folder-map", "dictionaries/1/map.html"),
            ("folder-run", "runs/1.html"),
        ]
    }

    @Test(.enabled(if: folder != nil, "ROUTESAE_SCREENSHOTS names no folder"))
    func picturesOfEveryPage() async throws {
        let folder = URL(filePath: try #require(Self.folder))
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let world: any ServedWorld =
            try Self.environment["ROUTESAE_CATALOG"].map { NamedCatalog(path: $0) } ?? BrowsedWorld()
        let feature = Self.environment["ROUTESAE_FEATURE"] ?? "0"
        let pages = Self.pages(feature: feature)
        try await serve(world, review: true) { site, browser in
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
                            if page.name == "steer" {
                                try await tab.fill("#text", "And Adam begat sons")
                                try await tab.click(".steer button")
                                try await tab.wait("texts", until: "document.querySelector('.texts') !== null")
                            }
                            if page.name.hasPrefix("map") { try await Self.waitForMap(tab) }
                            try await Self.take("\(page.name)-\(width)-\(scheme).png", of: tab, into: folder)
                        }
                    }
                }
            }
        }
        try await onFolder(of: world.path) { site, browser in
            for width in [380, 1280] {
                for scheme in BrowserWindow.Scheme.allCases {
                    try await browser.tab(BrowserWindow(width: width, scheme: scheme)) { tab in
                        for page in Self.folderPages(feature: feature) {
                            try await Self.open("\(site)/\(page.address)", in: tab)
                            if page.name == "folder-map" { try await Self.waitForMap(tab) }
                            try await Self.take("\(page.name)-\(width)-\(scheme).png", of: tab, into: folder)
                        }
                    }
                }
            }
        }
    }

    private static func take(_ name: String, of tab: BrowserTab, into folder: URL) async throws {
        try await tab.screenshot(height: 3000).write(to: folder.appending(path: name))
        let paint = try await tab.evaluate(
            "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1")
        print("\(name): first paint after \(Int(paint.double ?? -1)) ms")
    }
}
