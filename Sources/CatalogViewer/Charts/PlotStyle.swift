import Foundation

/// The colours of charts outside of pages: those of the pages' style sheet, filled in, since many programs that draw SVG
/// know no variables.
enum PlotStyle {
    /// The rules of a document, for light and, where that is preferred, for dark.
    static let sheet: HTML = {
        let (light, dark) = palettes
        // Nothing in it comes from a catalog.
        return HTML(
            markup: rules(light) + "@media (prefers-color-scheme: dark) {\n" + rules(dark) + "}\n")
    }()

    /// The variables of the style sheet, by day and by night, without the hyphens before them.
    static let palettes: (light: [String: String], dark: [String: String]) = {
        let blocks = text.matches(of: /:root \{([^}]*)\}/).map { block in
            Dictionary(
                block.1.matches(of: /--([a-z0-9]+): ([^;]+);/).map { (String($0.1), String($0.2)) },
                uniquingKeysWith: { _, last in last })
        }
        let light = blocks.first ?? [:]
        return (light, light.merging(blocks.dropFirst().first ?? [:]) { _, night in night })
    }()

    private static let text = String(decoding: PackageResources.style_css, as: UTF8.self)

    /// The section on drawings with the variables of a palette.
    private static func rules(_ palette: [String: String]) -> String {
        let section = text.split(separator: "/* Drawings. */").last?.split(separator: "/* Drawings end. */").first ?? ""
        let filled = section.replacing(/var\(--([a-z0-9]+)\)/) { palette[String($0.1)] ?? "currentColor" }
        let own = """
            svg .paper { fill: \(palette["paper"] ?? "white"); }
            svg .heading { font: 600 14px \(palette["sans"] ?? "sans-serif"); fill: \(palette["ink"] ?? "black"); }

            """
        return filled.trimmingCharacters(in: .whitespacesAndNewlines) + "\n" + own
    }
}
