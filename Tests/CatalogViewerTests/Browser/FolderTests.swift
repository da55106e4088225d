import BrowserSupport
import CatalogViewer
import FeatureCatalog
import Foundation
import JSON
import LinearAlgebra
import TestSupport
import Testing
import WorkflowWorlds

/// Pages as a folder, opened from a disk.
extension BrowserTests {
    /// Writes the folder of a catalog and opens it while `body` runs.
    ///
    /// - Parameter body: given the folder's address, without a slash at its end.
    func onFolder(
        of path: String, _ body: @Sendable @escaping (_ folder: String, _ browser: Browser) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory()
        let folder = directory.file("pages")
        try SharedSite.write(path, to: folder)
        try await body(URL(filePath: folder).absoluteString, try Browser.running())
        withExtendedLifetime(directory) {}
    }

    /// Opens the folder of `BrowsedWorld`, which is written once.
    private func onBrowsedFolder(
        _ body: @Sendable @escaping (_ world: BrowsedWorld, _ folder: String, _ browser: Browser) async throws -> Void
    ) async throws {
        try await body(
            try await SharedSite.browsed.value.world, try await SharedSite.folder.value, try Browser.running())
    }

    /// Opens a page of a folder and waits for what its script shows.
    static func open(_ address: String, in tab: BrowserTab) async throws {
        try await tab.open(address)
        try await waitForFolder(tab)
    }

    /// Waits until a page of a folder shows what it is about.
    private static func waitForFolder(_ tab: BrowserTab) async throws {
        let shown = """
            (kind => kind === "feature" ? document.querySelector(".feature, .damaged") !== null
              : kind === "list" ? document.querySelector(".rows > li, .hint, .damaged") !== null
              : kind === "map" ? document.querySelector(".map.live canvas") !== null : true)
            (document.querySelector("#main").dataset.kind)
            """
        try await tab.wait("the page", until: "document.readyState === 'complete' && \(shown)")
    }

    /// Pages of the folder of a catalog with one feature's page at least.
    private static let folderPages = [
        "index.html", "runs/1.html", "runs/3.html", "dictionaries/1/index.html", "dictionaries/1/features.html",
        "dictionaries/1/features.html?where=p99+%3E", "dictionaries/1/features.html?q=kings&sort=feature_index",
        "dictionaries/1/features.html?offset=40", "dictionaries/1/feature.html?i=3",
        "dictionaries/1/feature.html?i=no", "dictionaries/1/map.html", "dictionaries/1/map.html#f3",
    ]

    @Test func everyPageOfAFolderIsQuietAndFits() async throws {
        try await onBrowsedFolder { _, folder, browser in
            try await browser.tab { tab in
                for (number, page) in Self.folderPages.enumerated() {
                    try await Self.open("\(folder)/\(page)", in: tab)
                    for (width, scheme) in [(1280, BrowserWindow.Scheme.dark), (380, .light)] {
                        try await tab.resize(width, 800)
                        try await tab.prefer(number % 2 == 0 ? scheme : scheme == .dark ? .light : .dark)
                        try await Self.checkShown(tab, width: width)
                    }
                    #expect(tab.faults() == [], "\(page)")
                    try await tab.resize(1280, 800)
                }
                try await Self.open(folder + "/dictionaries/1/feature.html?i=no", in: tab)
                #expect(try await tab.texts(".damaged") == ["There is no feature no; there are 0 … 95."])
                try await Self.open(folder + "/dictionaries/1/feature.html?i=1e1", in: tab)
                #expect(try await tab.texts(".damaged") == ["There is no feature 1e1; there are 0 … 95."])
            }
        }
    }

    @Test func aFoldersListIsFilteredSortedSearchedAndPaged() async throws {
        let world = try await SharedSite.browsed.value.world
        let catalog = try Catalog.open(at: world.path, mode: .readOnly)
        let features = try catalog.features(IndexingKey(dictionaryID: 1, corpusID: 1))
        try catalog.close()
        let alive = features.filter { $0.firedCount > 0 }.map(\.featureIndex).sorted()
        let strong = features.filter { ($0.maxActivation ?? 0) > 2 && $0.featureIndex % 3 == 0 }.map(\.featureIndex)
            .sorted()
        try await onBrowsedFolder { _, folder, browser in
            try await browser.tab { tab in
                try await Self.open(folder + "/dictionaries/1/features.html", in: tab)
                try await tab.choose("select[name=sort]", "feature_index")
                try await tab.click("input[name=alive]")
                try await tab.click("form.filter button")
                try await tab.arrive(at: "features.html?sort=feature_index&alive=1")
                try await Self.waitForFolder(tab)
                #expect(try await rows(tab) == Array(alive.prefix(40)))
                #expect(try await tab.texts(".crumbs a") == ["Catalog", "first"])
                #expect(try await tab.texts("[role=status]") == ["1–40 of \(alive.count)"])
                try await tab.click("a[rel=next]")
                try await tab.arrive(at: "?sort=feature_index&alive=1&offset=40")
                try await Self.waitForFolder(tab)
                #expect(try await rows(tab) == Array(alive.dropFirst(40).prefix(40)))
                try await tab.press(.left)
                try await tab.arrive(at: "alive=1")
                try await Self.waitForFolder(tab)
                try await tab.press(.right)
                try await tab.arrive(at: "offset=40")
                try await Self.waitForFolder(tab)

                try await tab.click("input[name=alive]")
                try await tab.fill("input[name=where]", "max_activation > 2")
                try await tab.fill("form.filter input[name=q]", "kings")
                try await tab.press(.enter)
                try await tab.arrive(at: "?q=kings&where=max_activation+%3E+2&sort=feature_index")
                try await Self.waitForFolder(tab)
                #expect(try await rows(tab) == strong)

                // Back to the second page, with its fields as they were, which can be used again.
                try await tab.evaluate("history.back()")
                try await tab.arrive(at: "offset=40")
                try await Self.waitForFolder(tab)
                #expect(try await rows(tab) == Array(alive.dropFirst(40).prefix(40)))
                let fields = try await tab.evaluate(
                    """
                    [...document.querySelectorAll("form.filter [name]")].map(field => field.disabled ? "disabled"
                      : field.name + " " + (field.type === "checkbox" ? field.checked : field.value)).join(", ")
                    """
                ).string
                #expect(fields == "q , token , layer , where , sort feature_index, order false, alive true")
                try await tab.evaluate("history.forward()")
                try await tab.arrive(at: "sort=feature_index")
                try await Self.waitForFolder(tab)
                #expect(
                    try await tab.evaluate("document.querySelector('[name=where]').value").string
                        == "max_activation > 2")

                // The search of a dictionary's pages looks in its list, that of the others in the last one.
                try await Self.open(folder + "/dictionaries/1/index.html", in: tab)
                try await tab.press(.slash)
                try await tab.type("\"names of\" king*")
                try await tab.press(.enter)
                try await tab.wait("the list", until: "location.pathname.endsWith('/dictionaries/1/features.html')")
                try await Self.waitForFolder(tab)
                let found = try await rows(tab)
                #expect(Set(found) == Set((0..<BrowsedWorld.latents).filter { $0 % 3 == 0 }))
                try await Self.open(folder + "/index.html", in: tab)
                try await tab.fill("#find", "the")
                try await tab.press(.enter)
                try await tab.wait("the list", until: "location.pathname.endsWith('/dictionaries/2/features.html')")
                try await Self.waitForFolder(tab)
                #expect(try await !rows(tab).isEmpty)
                #expect(tab.faults() == [])
            }
        }
    }

    @Test func aFoldersListTakesTheAddressesOfTheServer() async throws {
        try await onBrowsedFolder { _, folder, browser in
            try await browser.tab { tab in
                let list = folder + "/dictionaries/1/features.html"
                try await Self.open(list + "?where=feature_index+%3D+5", in: tab)
                #expect(try await rows(tab) == [5])
                try await Self.open(list + "?alive=1&offset=1000", in: tab)
                #expect(try await rows(tab) == [])
                #expect(try await tab.texts("[role=status]").first?.hasPrefix("none of ") == true)
                #expect(try await tab.texts(".hint") == ["No feature is like that. The first page"])
                try await tab.click(".hint a")
                try await tab.arrive(at: "features.html?alive=1")
                for field in ["offset=abc", "layer=x", "offset=1e1"] {
                    try await Self.open(list + "?" + field, in: tab)
                    #expect(try await tab.texts(".damaged").count == 1, "\(field)")
                }
                #expect(tab.faults() == [])
            }
        }
    }

    @Test func aFoldersFeaturesAreTurnedAndItsMapLeadsToThem() async throws {
        try await onBrowsedFolder { world, folder, browser in
            try await browser.tab { tab in
                // From one script of features to the next.
                try await Self.open(folder + "/dictionaries/1/feature.html?i=31", in: tab)
                for (act, index) in [("key", 32), ("link", 33), ("back", 32)] {
                    switch act {
                    case "key": try await tab.press(.right)
                    case "link": try await tab.click("a[rel=next]")
                    default: try await tab.press(.left)
                    }
                    try await tab.arrive(at: "?i=\(index)")
                    try await Self.waitForFolder(tab)
                    #expect(try await tab.texts(".kicker") == ["Feature \(index)"])
                }
                let expected = try world.strongestContexts(of: 32, limit: 16)
                #expect(
                    try await tab.texts(".read > section:first-child .pk")
                        == expected.map { $0.token.replacing("\n", with: "⏎") })
                try await tab.click("a[href$='map.html#f32']")
                try await tab.arrive(at: "/map.html#f32")
                try await Self.open(folder + "/dictionaries/1/map.html", in: tab)
                try await Self.useMap(tab, feature: 7)
                try await tab.arrive(at: "feature.html?i=7")
                try await Self.waitForFolder(tab)
                #expect(try await tab.texts(".kicker") == ["Feature 7"])
                #expect(tab.faults() == [])
            }
        }
    }

    @Test func hostileTextInAFolderIsShownAsText() async throws {
        let world = try HostileWorld()
        try await onFolder(of: world.path) { folder, browser in
            try await browser.tab(BrowserWindow(width: 380, height: 800)) { tab in
                for page in [
                    "index.html", "runs/1.html", "dictionaries/1/index.html", "dictionaries/1/features.html",
                    "dictionaries/1/features.html?q=kings", "dictionaries/1/feature.html?i=0",
                    "dictionaries/1/feature.html?i=29", "dictionaries/1/feature.html?i=%3Cimg%20src%3Dx%3E",
                    "dictionaries/1/features.html?where=%3Cimg%20src%3Dx%3E", "dictionaries/1/map.html#f0",
                    "dictionaries/1/features.html?token=%22%3E%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E",
                ] {
                    try await Self.open("\(folder)/\(page)", in: tab)
                    try await Self.provoke(tab)
                    #expect(try await tab.evaluate(Self.ownCode) == .array([]), "\(page)")
                    #expect(try await tab.evaluate("document.images.length").double == 0, "\(page)")
                    try await Self.checkShown(tab, width: 380)
                    #expect(tab.faults() == [], "\(page)")
                }
                try await Self.open(folder + "/dictionaries/1/feature.html?i=0", in: tab)
                #expect(try await tab.texts("h1").first?.contains(HostileWorld.script) == true)
                #expect(try await tab.texts(".contexts .pk").first == HostileWorld.script)
            }
        }
    }
}
