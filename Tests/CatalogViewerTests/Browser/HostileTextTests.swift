import BrowserSupport
import FeatureCatalog
import Foundation
import GRDB
import JSON
import TestSupport
import Testing

/// Text that tries to be more than text, and damage.
extension BrowserTests {
    /// The mouse everywhere on a page, should an attribute wait for it.
    static func provoke(_ tab: BrowserTab) async throws {
        try await tab.evaluate(
            """
            for (const element of document.querySelectorAll("*"))
              for (const name of ["mouseover", "mouseenter", "focus", "error", "load"])
                element.dispatchEvent(new Event(name))
            """)
    }

    /// Code within a page, where there should be none: attributes that hold some, and scripts.
    static let ownCode = """
        [...document.querySelectorAll("*")].flatMap(element => [...element.attributes]
          .filter(attribute => attribute.name.startsWith("on"))
          .map(() => element.outerHTML.slice(0, 99)))
        .concat([...document.scripts].filter(script => !script.src).map(script => script.outerHTML))
        """

    @Test func hostileTextIsShownAsText() async throws {
        let world = try HostileWorld()
        try await serve(world) { site, browser in
            try await browser.tab { tab in
                for page in PagesTests.pages {
                    try await tab.open(site + page)
                    try await Self.provoke(tab)
                    let own = try await tab.evaluate(Self.ownCode)
                    #expect(own == .array([]), "\(page)")
                    #expect(tab.faults() == [], "\(page)")
                }
                try await tab.open(site + "/dictionaries/1/features/0")
                #expect(try await tab.texts("h1").first?.contains(HostileWorld.script) == true)
                #expect(try await tab.texts(".contexts .pk").first == HostileWorld.script)
                let line = try await tab.texts(".contexts .text").first ?? ""
                for text in [
                    HostileWorld.attribute, HostileWorld.entity, " שלום", "<U+202E>gnp.exe", "zero<U+200B>width",
                ] {
                    #expect(line.contains(text), "\(text)")
                }
                // The right-to-left word is a word among others: it does not turn the line around.
                let direction = try await tab.evaluate(
                    "getComputedStyle(document.querySelector('.contexts .text')).direction")
                #expect(direction.string == "ltr")
                // Ten thousand characters keep their beginning and their end.
                #expect(line.contains("longlong") && line.contains("more)…") && line.count < 1000)
                try await tab.open(site + "/dictionaries/1/features/0/contexts/top/0")
                let title = try await tab.texts("main .lead").first
                #expect(title?.contains(HostileWorld.script + HostileWorld.attribute) == true)
                try await tab.open(site + "/runs/1")
                #expect(try await tab.evaluate("document.body.innerText").string?.contains("</pre><script>") == true)
            }
        }
    }

    /// What is searched for and filtered by comes back as text.
    @Test func whatIsTypedComesBackAsText() async throws {
        try await serve(try HostileWorld()) { site, browser in
            try await browser.tab { tab in
                try await tab.open(site + "/dictionaries/1/features")
                let hostile = "\"><img src=x onerror=alert(1)>'</script>"
                try await tab.fill("input[name=token]", hostile)
                try await tab.press(.enter)
                try await tab.wait("the filter", until: "location.search.includes('token=')")
                try await tab.wait("the page", until: "document.readyState === 'complete'")
                #expect(try await tab.evaluate("document.querySelector('input[name=token]').value").string == hostile)
                try await tab.fill("#find", hostile)
                try await tab.press(.enter)
                try await tab.wait(
                    "the search", until: "location.pathname === '/search' && document.readyState === 'complete'")
                #expect(try await tab.evaluate("document.querySelector('#find').value").string == hostile)
                #expect(try await tab.evaluate("document.images.length").double == 0)
                #expect(tab.faults() == [])
            }
        }
    }

    @Test func damageShowsInItsPlaceInTheBrowser() async throws {
        let world = try HostileWorld()
        let queue = try DatabaseQueue(path: world.path)
        try await queue.write { database in
            try database.execute(sql: "PRAGMA ignore_check_constraints = ON")
            try database.execute(
                sql: "UPDATE feature_context SET other_activations = '{\"1\":' WHERE feature_index = 0")
        }
        try queue.close()
        try await serve(world) { site, browser in
            try await browser.tab { tab in
                try await tab.open(site + "/dictionaries/1/features/0")
                #expect(try await tab.texts("[role=alert]").count == 1)
                #expect(try await tab.texts("h2").contains("Activations"))
                #expect(try await tab.texts(".contexts li").isEmpty)
                try await tab.press(.right)
                try await tab.arrive(at: "/features/1")
                #expect(try await tab.texts(".contexts li").count == 1)
                #expect(tab.faults() == [])
            }
        }
    }
}
