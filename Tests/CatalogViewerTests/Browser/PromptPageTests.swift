import BrowserSupport
import Foundation
import TestSupport
import Testing
import WorkflowWorlds

/// A prompt typed in.
extension BrowserTests {
    @Test(arguments: [true, false])
    func aPromptIsReadAndItsTokensLeadToTheirFeatures(runsScripts: Bool) async throws {
        try await onBrowsedWorld { site, browser in
            try await browser.tab(BrowserWindow(runsScripts: runsScripts)) { tab in
                try await tab.open(site + "/prompt?dictionary=1")
                try await tab.fill("#text", "And the <b>king</b> begat sons")
                if runsScripts {
                    // Enter sends it; with the shift key it breaks the line.
                    try await tab.press(.enter)
                } else {
                    try await tab.click("form.prompt button")
                }
                try await tab.wait("the tokens", until: "document.querySelectorAll('.strip .t').length > 4")
                #expect(
                    try await tab.evaluate("document.querySelector('#text').value").string
                        == "And the <b>king</b> begat sons")
                let tokens = try await tab.texts(".strip .t span")
                #expect(tokens.joined().contains("And the <b>king</b> begat sons"))
                if runsScripts { try await Self.checkShown(tab, width: 1280) }
                // A token leads to the features that fire on it, and those to their pages.
                try await tab.click(".strip .t:nth-of-type(3)")
                try await tab.wait("its features", until: "document.querySelector('.place:target') !== null")
                let name = try await tab.texts(".place:target .tok").first ?? ""
                #expect(name.replacing("␣", with: " ") == tokens[2])
                try await tab.click(".place:target .features a")
                try await tab.wait("the feature", until: "document.querySelector('.feature') !== null")
                #expect(tab.faults() == [])
            }
        }
    }
}
