import BrowserSupport
import Foundation
import JSON
import TestSupport
import Testing

/// The map, moved in by mouse and keyboard.
extension BrowserTests {
    /// The middle of what the canvas shows in the accent's colour, in which features are lit, as shares of its width
    /// and height; null where nothing is lit.
    private static let lit = """
        (() => {
          const canvas = document.querySelector(".map canvas");
          const colour = getComputedStyle(document.documentElement).getPropertyValue("--accent").trim();
          const wanted = [1, 3, 5].map(at => parseInt(colour.slice(at, at + 2), 16));
          const {width, height} = canvas;
          const copy = new OffscreenCanvas(width, height).getContext("2d", {willReadFrequently: true});
          copy.drawImage(canvas, 0, 0);
          const {data} = copy.getImageData(0, 0, width, height);
          let [count, x, y] = [0, 0, 0];
          for (let i = 0; i < data.length; i += 4) {
            if (wanted.some((value, part) => Math.abs(data[i + part] - value) > 3) || data[i + 3] < 250) continue;
            count += 1;
            x += i / 4 % width;
            y += Math.floor(i / 4 / width);
          }
          return count < 4 ? null : [x / count / width, y / count / height];
        })()
        """

    private static let picture = "document.querySelector('.map canvas').toDataURL()"

    /// Waits for the map of a page to be drawn.
    static func waitForMap(_ tab: BrowserTab) async throws {
        try await tab.wait("the map", until: "document.querySelector('.map.live canvas')?.width > 100")
        // One frame, so that there is something on it.
        try await tab.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")
    }

    /// Searches the map of a page that is open, and opens the feature that it lights by a click.
    static func useMap(_ tab: BrowserTab, feature: Int) async throws {
        try await waitForMap(tab)
        #expect(try await tab.evaluate(lit) == .null)
        try await tab.fill("#lit", "\(feature)")
        try await tab.press(.enter)
        // Lit, and moved into the middle.
        try await tab.wait(
            "the feature in the middle",
            until: "(place => place !== null && place.every(share => Math.abs(share - 0.5) < 0.01))(\(lit))")
        #expect(try await tab.texts(".found .id") == ["\(feature)"])
        try await tab.click(".map canvas")
    }

    @Test func theMapIsSearchedAndLeadsToFeatures() async throws {
        try await onBrowsedWorld { site, browser in
            try await browser.tab { tab in
                try await tab.open(site + "/dictionaries/1/map")
                try await Self.useMap(tab, feature: 7)
                try await tab.arrive(at: "/dictionaries/1/features/7")
                #expect(tab.faults() == [])

                // A part of names lights all that have it; without it none is lit.
                try await tab.open(site + "/dictionaries/1/map")
                try await Self.waitForMap(tab)
                try await tab.fill("#lit", "NAMES OF KINGS")
                try await tab.wait("the list", until: "document.querySelector('.found h2') !== null")
                #expect(try await tab.texts(".found h2").first?.hasPrefix("32 features") == true)
                #expect(try await tab.texts(".found .id").compactMap { Int($0) }.allSatisfy { $0 % 3 == 0 })
                try await tab.wait("their points lit", until: "(\(Self.lit)) !== null")
                try await tab.fill("#lit", "")
                try await tab.wait("no list", until: "document.querySelector('.found h2') === null")
                // The list of strong features is back, and leads to them.
                try await tab.click(".strongest a")
                try await tab.wait("a feature", until: "document.querySelector('.feature') !== null")
                #expect(tab.faults() == [])
            }
        }
    }

    @Test func theMapMovesByKeys() async throws {
        try await onBrowsedWorld { site, browser in
            try await browser.tab { tab in
                // A link from a feature's page lights it.
                try await tab.open(site + "/dictionaries/1/features/5")
                try await tab.click("a[href='/dictionaries/1/map#f5']")
                try await tab.arrive(at: "/map#f5")
                try await Self.waitForMap(tab)
                try await tab.wait("the feature lit", until: "(\(Self.lit)) !== null")
                #expect(try await tab.evaluate("document.querySelector('#lit').value").string == "5")

                try await tab.open(site + "/dictionaries/1/map")
                try await Self.waitForMap(tab)
                let whole = try await tab.evaluate(Self.picture)
                // The keyboard reaches it: it comes before the field beside it.
                try await tab.evaluate("document.querySelector('.map canvas').focus()")
                #expect(
                    try await tab.evaluate("document.querySelector('.map canvas').matches(':focus')") == .boolean(true))
                func press(_ key: Character, changes: Bool = true) async throws {
                    let before = try await tab.evaluate(Self.picture)
                    try await tab.press(character: key)
                    try await tab.wait(
                        "\(key) to move", until: "\(Self.picture) !== \(BrowserTab.quoted(before.string ?? ""))")
                }
                try await press("+")
                try await press("-")
                let before = try await tab.evaluate(Self.picture).string ?? ""
                try await tab.press(.right)
                try await tab.wait("the arrow to move", until: "\(Self.picture) !== \(BrowserTab.quoted(before))")
                try await tab.press(character: "0")
                try await tab.wait(
                    "the whole map", until: "\(Self.picture) === \(BrowserTab.quoted(whole.string ?? ""))")
                // The arrow turned no page.
                #expect(try await tab.evaluate("location.pathname").string == "/dictionaries/1/map")
                try await tab.click("button[aria-label='Zoom in']")
                try await tab.wait(
                    "the button to zoom", until: "\(Self.picture) !== \(BrowserTab.quoted(whole.string ?? ""))")
                #expect(tab.faults() == [])
            }
        }
    }
}
