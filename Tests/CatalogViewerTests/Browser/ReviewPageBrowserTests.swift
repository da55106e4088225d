import BrowserSupport
import FeatureCatalog
import Foundation
import JSON
import TestSupport
import Testing

/// Features judged by the keyboard.
extension BrowserTests {
    private static func reviews(_ path: String) throws -> [ReviewRecord] {
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        defer { _ = try? catalog.close() }
        return try (0..<BrowsedWorld.latents).flatMap { try catalog.reviews(dictionaryID: 1, featureIndex: $0) }
    }

    /// The feature that the form in a tab asks about.
    private static func asked(_ tab: BrowserTab) async throws -> Int? {
        try await tab.evaluate("document.querySelector('input[name=feature]')?.value").string.flatMap { Int($0) }
    }

    private static func wait(_ tab: BrowserTab, left: Int, of all: Int = 4) async throws {
        try await tab.wait(
            "\(left) of \(all)",
            until: "document.readyState === 'complete' && "
                + "document.querySelector('.lead')?.textContent.startsWith('\(left) of \(all) features') === true")
    }

    @Test func verdictsOfKeysAreRowsOfTheTable() async throws {
        let world = try BrowsedWorld()
        try await serve(world, review: true) { site, browser in
            try await browser.tab { tab in
                try await tab.open(site + "/dictionaries/1")
                try await tab.click("nav[aria-label=Main] a[href^='/review']")
                try await tab.arrive(at: "/review?dictionary=1")
                try await tab.fill("input[name=reviewer]", "ada")
                try await tab.fill("input[name=sample]", "4")
                try await tab.press(.enter)
                try await Self.wait(tab, left: 4)
                #expect(try Self.reviews(world.path).isEmpty)
                try await Self.checkShown(tab, width: 1280)

                // Contexts have the whole line, since nothing stands before them.
                let narrowest = try await tab.evaluate(
                    "Math.min(...[...document.querySelectorAll('.contexts .ctx')].map(context => context.offsetWidth))")
                #expect(narrowest.double ?? 0 > 600)

                // A verdict and a kind, then stored.
                let first = try #require(try await Self.asked(tab))
                try await tab.press(character: "4")
                try await tab.press(character: "h")
                try await tab.press(.enter)
                try await Self.wait(tab, left: 3)

                // One is passed over and does not count.
                let skipped = try #require(try await Self.asked(tab))
                try await tab.press(character: "s")
                try await tab.wait(
                    "the next", until: "document.querySelector('input[name=feature]')?.value !== '\(skipped)'")
                try await Self.wait(tab, left: 3)
                let second = try #require(try await Self.asked(tab))

                // What is typed into the note is text, not keys.
                try await tab.fill("input[name=note]", "is 5 <b>")
                #expect(try await tab.evaluate("document.querySelector('input[name=verdict]:checked')") == .null)
                try await tab.press(.escape)
                try await tab.press(character: "2")
                try await tab.press(.enter)
                try await Self.wait(tab, left: 2)
                var stored = try Self.reviews(world.path).sorted { $0.verdict > $1.verdict }
                #expect(stored.map(\.featureIndex) == [first, second] && stored.map(\.verdict) == [4, 2])
                #expect(stored.map(\.category) == [.highLevel, nil] && stored.map(\.note) == [nil, "is 5 <b>"])
                #expect(stored.allSatisfy { $0.reviewer == "ada" })

                // Taken back, and asked again.
                try await tab.press(character: "z")
                try await Self.wait(tab, left: 3)
                stored = try Self.reviews(world.path)
                #expect(stored.map(\.featureIndex) == [first])
                #expect(try await Self.asked(tab) == second)

                // Without a verdict nothing is stored, and the page says what is missing.
                try await tab.press(.enter)
                #expect(
                    try await tab.evaluate("document.querySelector('form.review').matches(':invalid')")
                        == .boolean(true))
                #expect(try Self.reviews(world.path).count == 1)
                #expect(tab.faults() == [])
            }
        }
    }
}
