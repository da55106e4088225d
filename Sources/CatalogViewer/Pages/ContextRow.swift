import FeatureCatalog
import TerminalOutput

/// A context on a page: the tokens on which the feature fires coloured, the peak underlined.
struct ContextRow {
    private let context: ContextText
    private let maximum: Float

    /// - Parameter maximum: the activation of full colour.
    init(_ context: ContextText, maximum: Float) {
        self.context = context
        self.maximum = maximum
    }

    /// A stretch of the text that is drawn as one.
    private struct Unit {
        var text: String
        var activation: Float
        var isPeak: Bool
        var isInWindow: Bool
    }

    /// Tokens with the character that they share, neighbours that do not fire together.
    private var units: [Unit] {
        var units: [Unit] = []
        var held: Unit?
        for (place, token) in context.tokens.enumerated() {
            let isInWindow = context.window.contains(place)
            var unit = Unit(
                text: token,
                activation: isInWindow ? context.activations[place - context.window.lowerBound] : 0,
                isPeak: place == context.peak, isInWindow: isInWindow)
            if let part = held {
                unit.activation = max(unit.activation, part.activation)
                unit.isPeak = unit.isPeak || part.isPeak
            }
            // The character goes on in the next token.
            if token.isEmpty, place + 1 < context.tokens.count {
                held = unit
                continue
            }
            held = nil
            let text = TokenText.shown(token)
            if !unit.isPeak, unit.activation <= 0, let last = units.last, !last.isPeak, last.activation <= 0,
                last.isInWindow == unit.isInWindow
            {
                units[units.count - 1].text += text
            } else {
                unit.text = text
                units.append(unit)
            }
        }
        return units
    }

    /// The text.
    ///
    /// - Parameter reach: tokens shown before and behind the peak; nil for all.
    func text(reach: (before: Int, behind: Int)? = nil) -> HTML {
        guard let reach else { return drawn(units, isCut: context.isCut) }
        return ContextRow(context.cut(before: reach.before, behind: reach.behind), maximum: maximum).text()
    }

    private func drawn(_ units: [Unit], isCut: (before: Bool, behind: Bool)) -> HTML {
        let pieces = units.map { unit -> HTML in
            let text = TokenText.running(unit.text, breaksLines: context.isWhole)
            let style = TokenText.intensity(unit.activation, of: maximum)
            if let style {
                let mark: HTML = unit.isPeak ? " pk" : ""
                return """
                    <b class="\(style)\(mark)" title="\(Quantities.significant(Double(unit.activation)))">\(text)</b>
                    """
            }
            if unit.isPeak { return "<b class=\"pk\">\(text)</b>" }
            return unit.isInWindow || !context.isWhole ? text : "<span class=\"out\">\(text)</span>"
        }
        return """
            <span class="text" dir="auto">\(isCut.before ? "…" : "")\(pieces)\(isCut.behind ? "…" : "")</span>
            """
    }
}

extension ContextText {
    /// Whether more than the window is there.
    fileprivate var isWhole: Bool { window != 0..<tokens.count }
}
