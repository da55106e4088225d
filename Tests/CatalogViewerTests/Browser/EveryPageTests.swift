import BrowserSupport
import Foundation
import JSON
import TestSupport
import Testing

/// What holds for every page.
extension BrowserTests {
    /// Pages of `BrowsedWorld`.
    static let pages = [
        "/", "/dictionaries/1", "/dictionaries/2", "/dictionaries/1/features",
        "/dictionaries/1/features?where=p99+%3E", "/dictionaries/1/features/0",
        "/dictionaries/1/features/0/contexts/top/0", "/runs/1", "/runs/3",
        "/search", "/search?q=kings", "/compare", "/compare?d=1&d=2&match=1", "/prompt",
        "/prompt?dictionary=1&feature=3", "/dictionaries/1/map", "/dictionaries/1/map#f3", "/review",
        "/review?dictionary=1&reviewer=ada&sample=3",
    ]

    /// What of the page has moved since it was opened; empty for nothing.
    private static let layoutShift = """
        new Promise(done => {
          const moved = [];
          const add = entries => {
            for (const entry of entries)
              moved.push(entry.value, ...entry.sources.map(source => source.node?.outerHTML?.slice(0, 99) ?? "text"));
          };
          const observer = new PerformanceObserver(list => add(list.getEntries()));
          observer.observe({type: "layout-shift", buffered: true});
          requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => {
            add(observer.takeRecords());
            done(moved.join(" "));
          }, 20)));
        })
        """

    /// What of the page lies beside the window.
    private static func beside(_ width: Int) -> String {
        """
        (() => {
          const root = document.documentElement;
          // A telephone makes its window wider for a page that is.
          if (root.scrollWidth <= \(width) && innerWidth === \(width)) return "";
          const wide = [...document.querySelectorAll("body *")].filter(element =>
            element.getBoundingClientRect().right > \(width) && !element.closest(".scroll, pre"));
          return root.scrollWidth + " wide: " + wide.slice(0, 3).map(element => element.outerHTML.slice(0, 120));
        })()
        """
    }

    /// Opens a page and expects it to be quiet, to stay in place, to fit, and to be accessible in both colour schemes.
    ///
    /// - Parameter scheme: the colours in which it opens; the others come while it is there.
    private func check(
        _ address: String, in tab: BrowserTab, width: Int, scheme: BrowserWindow.Scheme,
        _ rules: AccessibilityCheck.Rules = .all
    ) async throws {
        try await tab.prefer(scheme)
        try await tab.open(address)
        let moved = try await tab.evaluate(Self.layoutShift).string
        #expect(moved == "", "\(address)")
        try await Self.checkShown(tab, width: width, rules)
        // Colours depend on the scheme and not on the width.
        if width > 380, let axe = AccessibilityCheck.script {
            try await tab.prefer(scheme == .light ? .dark : .light)
            let found = try await axe.violations(in: tab, .colours)
            #expect(found == [], "\(address), \(width), not \(scheme)")
        }
        // A condition without a value is refused, and the page that says so is a page as well.
        let refused = address.hasSuffix("where=p99+%3E") ? ["400", "400"] : []
        let faults = tab.faults()
        #expect(faults.count == refused.count && zip(faults, refused).allSatisfy { $0.contains($1) }, "\(faults)")
    }

    /// Expects what a tab shows to fit its window and to be accessible.
    static func checkShown(
        _ tab: BrowserTab, width: Int, _ rules: AccessibilityCheck.Rules = .all
    ) async throws {
        let address = try await tab.evaluate("location.href").string ?? ""
        let wide = try await tab.evaluate(beside(width)).string
        #expect(wide == "", "\(address)")
        if let axe = AccessibilityCheck.script {
            let found = try await axe.violations(in: tab, rules)
            #expect(found == [], "\(address), \(width)")
        }
    }

    @Test(arguments: [380, 1280])
    func everyPageIsQuietAndStaysInPlace(width: Int) async throws {
        try await onBrowsedWorld { site, browser in
            try await browser.tab(BrowserWindow(width: width, height: 800)) { tab in
                for (number, page) in Self.pages.enumerated() {
                    // All rules at one width, at the other those that it decides.
                    try await check(
                        site + page, in: tab, width: width, scheme: number % 2 == 0 ? .light : .dark,
                        width > 380 ? .all : .layout)
                }
            }
        }
    }

    @Test(arguments: [380, 1280])
    func aPageThatComesInPiecesStaysInPlace(width: Int) async throws {
        try await onBrowsedWorld { site, browser in
            try await browser.tab(BrowserWindow(width: width, height: 800)) { tab in
                try await tab.slow(to: 100_000)
                for page in Self.pages {
                    try await tab.open(site + page)
                    let moved = try await tab.evaluate(Self.layoutShift).string
                    #expect(moved == "", "\(page)")
                }
            }
        }
    }

    @Test func everyPageOfHostileTextIsQuietAndStaysInPlace() async throws {
        try await serve(try HostileWorld()) { site, browser in
            try await browser.tab(BrowserWindow(width: 380, height: 800)) { tab in
                for (number, page) in PagesTests.pages.enumerated() {
                    try await check(site + page, in: tab, width: 380, scheme: number % 2 == 0 ? .dark : .light)
                }
            }
        }
    }

    @Test func errorsArePagesToo() async throws {
        try await serve(try HostileWorld()) { site, browser in
            try await browser.tab(BrowserWindow(width: 380)) { tab in
                try await tab.open(site + "/dictionaries/77")
                #expect(try await tab.texts("h1") == ["Not found"])
                try await Self.checkShown(tab, width: 380)
                #expect(tab.faults().allSatisfy { $0.contains("404") })
            }
        }
    }

    @Test(.enabled(if: AccessibilityCheck.script != nil, "\(AccessibilityCheck.howToGet)"))
    func axeFindsWhatIsInaccessible() async throws {
        let axe = try #require(AccessibilityCheck.script)
        try await Browser.running().tab { tab in
            let text = "<h1>x</h1><p style='color:%23999;background:%23fff'>pale</p><img src='data:,'>"
            try await tab.open("data:text/html,<!doctype html><html lang=en><title>x</title><main>\(text)</main>")
            let found = try await axe.violations(in: tab)
            #expect(found.contains { $0.hasPrefix("color-contrast") } && found.contains { $0.hasPrefix("image-alt") })
        }
    }
}
