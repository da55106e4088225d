import ActivationPipeline
import BrowserSupport
import FeatureCatalog
import Foundation
import JSON
import LinearAlgebra
import SparseCoding
import Steering
import TestSupport
import Testing
import Vocabulary
import WorkflowWorlds

/// Texts steered in the browser.
extension BrowserTests {
    private static let steeredPrompt = "And the <b>king</b> begat sons"

    /// What the command gives for the first dictionary.
    private static func expected(_ world: BrowsedWorld, feature: Int, strength: Double) throws -> SteeringRun.Outcome {
        let catalog = try Catalog.open(at: world.path, mode: .readOnly)
        defer { _ = try? catalog.close() }
        let settings = SteeringSettings(
            dictionary: "first", model: DemoModel.path,
            edits: [LatentEdit(feature: feature, operation: .set, strength: strength)], prompts: [steeredPrompt],
            tokens: 8)
        return try SteeringRun(settings: settings, workers: Workers(threads: 2)).run(on: catalog, saving: false)
            .outcomes[0]
    }

    /// Reads a prompt, picks the first feature of a token and steers with it.
    @Test(arguments: [true, false])
    func aFeatureIsPickedAndSteers(runsScripts: Bool) async throws {
        try await onBrowsedWorld { world, site, browser in
            try await browser.tab(BrowserWindow(runsScripts: runsScripts)) { tab in
                try await tab.open(site + "/prompt?dictionary=1")
                try await tab.fill("#text", Self.steeredPrompt)
                try await tab.click("form.prompt button")
                try await tab.wait("the tokens", until: "document.querySelectorAll('.strip .t').length > 4")
                try await tab.click("#t2 button.pick")
                try await tab.wait(
                    "the feature", until: "document.querySelector('.steer input[name=feature]').value !== ''")
                try await tab.wait("the page", until: "document.readyState === 'complete'")
                let feature = try #require(
                    try await tab.evaluate("document.querySelector('.steer input[name=feature]').value").string.flatMap
                    {
                        Int($0)
                    })
                #expect(try await tab.texts("#t2 .features li:first-child .id") == ["\(feature)"])
                #expect(try await tab.texts(".chosen").first?.hasPrefix("Feature \(feature) ") == true)
                let strength = try #require(
                    try await tab.evaluate("document.querySelector('.steer input[name=strength]').value").string.flatMap
                    {
                        Double($0)
                    })
                #expect(strength > 0)
                // With a script nothing was asked of the server.
                let path = try await tab.evaluate("location.pathname + location.hash").string
                #expect(path == (runsScripts ? "/prompt" : "/prompt#steer"))

                try await tab.fill(".steer input[name=tokens]", "8")
                if runsScripts { try await tab.press(.enter) } else { try await tab.click(".steer .filter button") }
                try await tab.arrive(at: "/steer#steer")
                let outcome = try Self.expected(world, feature: feature, strength: strength)
                #expect(
                    try await tab.texts(".steer .texts .text b")
                        == [outcome.unsteeredText, outcome.text].map {
                            // Line ends are shown as they are; other controls do not occur here.
                            $0
                        })
                #expect(try await tab.texts(".steer .texts .out") == [Self.steeredPrompt, Self.steeredPrompt])
                #expect(try await tab.texts(".steer pre").first?.contains("feature \(feature) set") == true)
                if runsScripts {
                    for (width, scheme) in [(1280, BrowserWindow.Scheme.dark), (380, .light)] {
                        try await tab.resize(width, 800)
                        try await tab.prefer(scheme)
                        try await Self.checkShown(tab, width: width)
                    }
                }
                #expect(tab.faults() == [])
            }
        }
    }

    @Test func aFeaturesPageLeadsToSteeringAndFaultsAreSaid() async throws {
        try await onBrowsedWorld { site, browser in
            try await browser.tab { tab in
                try await tab.open(site + "/dictionaries/1/features/3")
                try await tab.click(".kicker a")
                try await tab.arrive(at: "/prompt?dictionary=1&feature=3#steer")
                #expect(try await tab.texts(".chosen").first?.contains("names of kings, number 3") == true)
                #expect(
                    try await tab.evaluate("+document.querySelector('[name=strength]').value > 0") == .boolean(true))
                try await tab.fill("#text", "In the beginning")
                try await tab.fill(".steer input[name=strength]", "very <b>much")
                try await tab.press(.enter)
                try await tab.arrive(at: "/steer#steer")
                #expect(try await tab.texts("[role=alert]") == ["the strength is \"very <b>much\"; it takes a number"])
                #expect(try await tab.evaluate("document.querySelector('#text').value").string == "In the beginning")
                #expect(
                    try await tab.evaluate("document.querySelector('[name=strength]').value").string == "very <b>much")
                try await Self.checkShown(tab, width: 1280)
                #expect(tab.faults().allSatisfy { $0.contains("400") })
            }
        }
    }
}
