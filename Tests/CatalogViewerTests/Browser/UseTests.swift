import BrowserSupport
import FeatureCatalog
import Foundation
import JSON
import TestSupport
import Testing

/// Pages used by mouse and keyboard.
extension BrowserTests {
    /// The features of the first dictionary in an order.
    private static func features(
        of world: BrowsedWorld, where isWanted: (FeatureRecord) -> Bool = { _ in true },
        by isBefore: (FeatureRecord, FeatureRecord) -> Bool
    ) throws -> [Int] {
        let catalog = try Catalog.open(at: world.path, mode: .readOnly)
        defer { _ = try? catalog.close() }
        return try catalog.features(IndexingKey(dictionaryID: 1, corpusID: 1)).filter(isWanted).sorted(by: isBefore)
            .map(\.featureIndex)
    }

    @Test func aListIsFilteredSortedAndPagedByHand() async throws {
        try await onBrowsedWorld { world, site, browser in
            let alive = try Self.features(of: world, where: { $0.firedCount > 0 }) { $0.featureIndex < $1.featureIndex }
            let strong = try Self.features(
                of: world, where: { ($0.maxActivation ?? 0) > 2 && $0.featureIndex % 3 == 0 }
            ) { $0.featureIndex < $1.featureIndex }
            #expect(alive.count > 40 && strong.count > 1)
            try await browser.tab { tab in
                try await tab.open(site + "/dictionaries/1/features")
                try await tab.choose("select[name=sort]", "feature_index")
                try await tab.click("input[name=alive]")
                try await tab.click("form.filter button")
                try await tab.arrive(at: "/features?sort=feature_index&alive=1")
                #expect(try await rows(tab) == Array(alive.prefix(40)))

                try await tab.click("a[rel=next]")
                try await tab.arrive(at: "offset=40")
                #expect(try await rows(tab) == Array(alive.dropFirst(40).prefix(40)))
                try await tab.press(.left)
                try await tab.wait(
                    "the first page", until: "!location.search.includes('offset') && document.readyState === 'complete'"
                )
                try await tab.press(.right)
                try await tab.arrive(at: "offset=40")

                // Words and a condition from the keyboard; what is typed stays in the fields.
                try await tab.click("input[name=alive]")
                try await tab.fill("input[name=where]", "max_activation > 2")
                try await tab.fill("form.filter input[name=q]", "names of kings")
                try await tab.press(.enter)
                try await tab.arrive(at: "?q=names+of+kings&where=max_activation+%3E+2&sort=feature_index")
                // Every third feature is explained by these words; contexts of others may have them.
                let found = try await rows(tab)
                #expect(found.filter { $0 % 3 == 0 } == strong && found.count < alive.count / 2, "\(found)")
                #expect(
                    try await tab.evaluate("document.querySelector('input[name=where]').value").string
                        == "max_activation > 2")

                // Back to the second page, with its fields, which can be used again.
                try await tab.evaluate("history.back()")
                try await tab.arrive(at: "offset=40")
                #expect(try await rows(tab) == Array(alive.dropFirst(40).prefix(40)))
                #expect(try await tab.texts("form.filter :disabled") == [])
                #expect(try await tab.evaluate("document.querySelector('input[name=alive]').checked") == .boolean(true))
                #expect(tab.faults() == [])
            }
        }
    }

    @Test func keysSearchTurnPagesAndHelp() async throws {
        try await onBrowsedWorld { site, browser in
            try await browser.tab { tab in
                try await tab.open(site + "/dictionaries/1/features/3")
                try await tab.press(.right)
                try await tab.arrive(at: "/features/4")
                try await tab.press(.left)
                try await tab.arrive(at: "/features/3")

                try await tab.press(.question)
                try await tab.wait("the help", until: "document.querySelector('dialog[open]') !== null")
                #expect(try await tab.texts("dialog dd").contains("search"))
                // Arrows belong to the help while it is open.
                try await tab.press(.right)
                try await tab.press(.escape)
                try await tab.wait("no help", until: "document.querySelector('dialog[open]') === null")
                #expect(try await tab.evaluate("location.pathname").string?.hasSuffix("/3") == true)

                try await tab.press(.slash)
                try await tab.wait("the search field", until: "document.activeElement.id === 'find'")
                try await tab.type("kings")
                // Where a text is typed, arrows and question marks are its own.
                try await tab.press(.left)
                try await tab.press(.question)
                #expect(try await tab.evaluate("document.activeElement.value").string == "king?s")
                try await tab.fill("#find", "kings")
                try await tab.press(.enter)
                try await tab.arrive(at: "/search?q=kings")
                let found = try await tab.texts(".hits .name, .hits li")
                #expect(found.contains { $0.contains("names of kings, number 3") })
                #expect(tab.faults() == [])
            }
        }
    }

    /// The keyboard alone reaches content, and shows where it is.
    @Test func theKeyboardReachesTheContent() async throws {
        try await onBrowsedWorld { site, browser in
            try await browser.tab { tab in
                try await tab.open(site + "/dictionaries/1/features")
                try await tab.press(.tab)
                #expect(try await tab.evaluate("document.activeElement.className").string == "skip")
                #expect(
                    try await tab.evaluate("document.activeElement.getBoundingClientRect().left >= 0") == .boolean(true)
                )
                try await tab.press(.enter)
                try await tab.press(.tab)
                #expect(
                    try await tab.evaluate("document.querySelector('main').contains(document.activeElement)")
                        == .boolean(true))
                let outline = try await tab.evaluate("getComputedStyle(document.activeElement).outlineStyle").string
                #expect(outline == "solid")
            }
        }
    }

    @Test func theUnderlinedTokensAreThoseOfTheDatabase() async throws {
        try await onBrowsedWorld { world, site, browser in
            try await browser.tab { tab in
                for feature in [0, 3, 40] {
                    let expected = try world.strongestContexts(of: feature, limit: 16)
                    try await tab.open(site + "/dictionaries/1/features/\(feature)")
                    let shown = try await tab.texts(".read > section:first-child .pk")
                    #expect(shown == expected.map { $0.token.replacing("\n", with: "⏎") }, "feature \(feature)")
                    let layers = try await tab.texts(".read > section:first-child .ly")
                    #expect(layers == expected.map { "L\($0.layer)" })
                    let activations = try await tab.evaluate(
                        "[...document.querySelectorAll('.read > section:first-child .pk')].map(token => +token.title)")
                    guard case .array(let numbers) = activations, numbers.count == expected.count else {
                        Issue.record("\(activations)")
                        continue
                    }
                    for (number, context) in zip(numbers, expected) {
                        #expect(
                            abs((number.double ?? 0) / Double(context.activation) - 1) < 1e-3, "rounded to four digits")
                    }
                    // The underline is there to be seen, and so is a colour.
                    let style = try await tab.evaluate(
                        "(style => style.borderBottomWidth + ' ' + (style.backgroundColor !== 'rgba(0, 0, 0, 0)'))"
                            + "(getComputedStyle(document.querySelector('.contexts .pk')))")
                    #expect(style.string == "2px true")
                }
            }
        }
    }

    @Test func aPassageOpensInItsPlaceAndCloses() async throws {
        try await onBrowsedWorld { site, browser in
            try await browser.tab { tab in
                try await tab.open(site + "/dictionaries/1/features/0")
                let token = try await tab.texts(".contexts li:first-child .pk").first
                try await tab.click(".contexts li:first-child a.open")
                try await tab.wait("the passage", until: "document.querySelector('.whole .pk') !== null")
                #expect(try await tab.texts(".whole .pk").first == token)
                try await tab.click(".contexts li:first-child a.open")
                try await tab.wait("no passage", until: "document.querySelector('.whole') === null")
                #expect(try await tab.evaluate("location.pathname").string == "/dictionaries/1/features/0")
                #expect(tab.faults() == [])
            }
        }
    }

    @Test func withoutScriptsEverythingButThePlacesOfPassagesWorks() async throws {
        try await onBrowsedWorld { site, browser in
            try await browser.tab(BrowserWindow(runsScripts: false)) { tab in
                try await tab.open(site + "/")
                try await tab.click("tbody a[href='/dictionaries/1/features']")
                try await tab.arrive(at: "/dictionaries/1/features")
                try await tab.fill("input[name=where]", "feature_index < 3")
                try await tab.click("form.filter button")
                try await tab.wait("the filter", until: "location.search.includes('where=feature_index')")
                try await tab.wait("its rows", until: "document.querySelectorAll('.rows > li').length === 3")
                try await tab.click(".rows .what a")
                try await tab.wait("a feature", until: "document.querySelector('.feature') !== null")
                try await tab.click(".contexts a.open")
                try await tab.wait("its passage", until: "document.querySelector('.passage .pk') !== null")
                try await tab.click("nav[aria-label=Main] a[href^='/compare']")
                try await tab.wait("the comparison", until: "document.querySelector('.compare') !== null")
                try await tab.click("a.button")
                try await tab.wait("matched features", until: "location.search.includes('match=1')")
                try await tab.fill("#find", "kings")
                try await tab.press(.enter)
                try await tab.arrive(at: "/search?q=kings")
                #expect(try await tab.texts(".hits li").count > 3)
                #expect(tab.faults() == [])
            }
        }
    }
}
