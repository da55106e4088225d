import CatalogViewer
import FeatureCatalog
import Foundation
import LinearAlgebra
import Testing

/// Colours of charts: by WCAG 2.2, text has a contrast of 4.5 or more with what lies behind, marks of 3.
@Suite struct PlotColourTests {
    private static func luminance(_ colour: Substring) -> Double {
        let channels = [1, 3, 5].map { start -> Double in
            let from = colour.index(colour.startIndex, offsetBy: start)
            let value = Double(Int(colour[from..<colour.index(from, offsetBy: 2)], radix: 16) ?? 0) / 255
            return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2]
    }

    private static func contrast(_ one: Substring, _ other: Substring) -> Double {
        let (a, b) = (luminance(one), luminance(other))
        return (max(a, b) + 0.05) / (min(a, b) + 0.05)
    }

    @Test func textAndMarksAreLegibleByDayAndByNight() throws {
        let world = try HostileWorld()
        let catalog = try Catalog.open(at: world.path, mode: .readOnly)
        let svg = try CatalogPlot(CatalogPlot.Request(.routing), in: catalog, workers: Workers(threads: 1)).svg
        try catalog.close()
        let sheet = try #require(svg.firstMatch(of: /<style>(.*?)<\/style>/.dotMatchesNewlines())).1
        let sheets = sheet.split(separator: "@media (prefers-color-scheme: dark)")
        #expect(sheets.count == 2)
        for (scheme, rules) in zip(["day", "night"], sheets) {
            func colour(_ selector: String) -> Substring? {
                rules.matches(of: /svg ([^{]+) \{([^}]*)\}/).first { $0.1 == selector }?.2
                    .firstMatch(of: /(?:fill|stroke|color): (#[0-9a-f]{6})/)?.1
            }
            let paper = try #require(colour(".paper"))
            for text in ["text", ".heading", ".name"] {
                let contrast = Self.contrast(try #require(colour(text), "\(text)"), paper)
                #expect(contrast >= 4.5, "\(text) by \(scheme): \(contrast)")
            }
            let layers = (0..<10).map { ".y\($0)" }
            for mark in [".bar", ".line", ".chances", ".axis", ".dot", ".range", ".front", ".rise", ".fall"] + layers {
                let contrast = Self.contrast(try #require(colour(mark), "\(mark)"), paper)
                #expect(contrast >= 3, "\(mark) by \(scheme): \(contrast)")
            }
        }
    }
}
