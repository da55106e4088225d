import FeatureCatalog
import Indexing
import TerminalOutput
import Vocabulary

/// A prompt as a page for people: the text in colours, then its tokens with their features.
struct PromptPage {
    private let findings: PromptFindings
    private let style: TerminalStyle

    init(_ findings: PromptFindings, style: TerminalStyle) {
        self.findings = findings
        self.style = style
    }

    /// The page.
    var text: String {
        let record = findings.dictionary
        var page = PageText(style: style)
        let count = findings.places.last.map { $0.position + 1 } ?? 0
        page.title("\(Quantities.count(count)) tokens through \(record.name)")
        page.field("layers", LayerSpan.text(of: record.layers))
        let places = findings.places
        let strongest = places.map { $0.features.first?.activation ?? 0 }
        let line = style.highlight(
            tokens: places.map(\.token), activations: strongest, maximum: findings.maximum)
        page.text += "\n" + line + "\n\n"
        let width = min(20, places.map { DisplayWidth.of(VisibleText.of($0.token)) }.max() ?? 0)
        for place in places { add(place, tokenWidth: width, to: &page) }
        return page.text
    }

    private func add(_ place: PromptFindings.Place, tokenWidth: Int, to page: inout PageText) {
        let token = DisplayWidth.cut(VisibleText.of(place.token), to: tokenWidth)
        let padding = String(repeating: " ", count: max(0, tokenWidth - DisplayWidth.of(token)))
        let position = "\(place.position)"
        let layer = place.layer.map { "L\($0)" } ?? ""
        let weight = place.routerWeight.map { Quantities.percentage($0) } ?? ""
        let painted = style.highlight(
            tokens: [token], activations: [place.features.first?.activation ?? 0], maximum: findings.maximum)
        let start =
            style.paint(padded(position, to: 4), .dim) + "  " + painted + padding + "  "
            + style.paint(left(layer, to: 4) + padded(weight, to: 8), .dim) + "  "
        let margin = 4 + 2 + tokenWidth + 2 + 12 + 2
        guard !place.features.isEmpty else {
            page.text += start + style.paint("–", .dim) + "\n"
            return
        }
        for (number, feature) in place.features.enumerated() {
            page.text += number == 0 ? start : String(repeating: " ", count: margin)
            page.text += describe(feature, width: style.width.map { $0 - margin }) + "\n"
        }
    }

    /// A feature: number, activation, meaning.
    private func describe(_ feature: PromptFindings.Feature, width: Int?) -> String {
        let number = padded("\(feature.index)", to: 7)
        let activation = padded(Quantities.significant(Double(feature.activation)), to: 7)
        let known = findings.names[feature.index]
        let shown = VisibleText.of(known?.text ?? "")
        let cut = width.map { DisplayWidth.cut(shown, to: max(8, $0 - 18)) } ?? shown
        return style.paint(number, .cyan) + " " + activation + "  "
            + (known?.explanation == nil ? style.paint(cut, .dim) : cut)
    }

    private func padded(_ text: String, to width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    private func left(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
