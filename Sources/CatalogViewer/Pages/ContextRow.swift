import FeatureCatalog
import TerminalOutput

/// A context on a page: the tokens on which the feature fires coloured, the peak underlined.
struct ContextRow {
    /// Bytes of the longest token that is kept on one line: it fits on a telephone.
    private static let longest = 32

    private let context: ContextText
    private let maximum: Float

    /// - Parameter maximum: the activation of full colour.
    init(_ context: ContextText, maximum: Float) {
        self.context = context
        self.maximum = maximum
    }

    /// The context's units, as they are shown; neighbours that do not fire together.
    private var units: [ContextUnit] {
        var units: [ContextUnit] = []
        for var unit in ContextUnit.units(of: context) {
            unit.text = TokenText.shown(unit.text)
            if !unit.isPeak, unit.activation <= 0, let last = units.last, !last.isPeak, last.activation <= 0,
                last.isInWindow == unit.isInWindow
            {
                units[units.count - 1].text += unit.text
            } else {
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

    private func drawn(_ units: [ContextUnit], isCut: (before: Bool, behind: Bool)) -> HTML {
        let pieces = units.map { unit -> HTML in
            let text = TokenText.running(unit.text, breaksLines: context.isWhole)
            let long: HTML = unit.text.utf8.count > Self.longest ? " long" : ""
            let style = TokenText.intensity(unit.activation, of: maximum)
            if let style {
                let mark: HTML = unit.isPeak ? " pk" : ""
                return """
                    <b class="\(style)\(mark)\(long)" title="\(Quantities.significant(Double(unit.activation)))">\
                    \(text)</b>
                    """
            }
            if unit.isPeak { return "<b class=\"pk\(long)\">\(text)</b>" }
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
