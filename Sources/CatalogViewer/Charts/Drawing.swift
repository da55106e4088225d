/// A chart: its size, what it shows in words, and its marks, which are styled by class.
struct Drawing: Sendable {
    /// The width in units.
    let width: Double
    /// The height in units.
    let height: Double
    /// What it shows.
    let title: String
    /// The figures in a sentence, for those who do not see it.
    let description: String
    /// Further classes.
    var style = ""
    /// The marks.
    let body: HTML

    /// The chart within a page, whose style sheet has its colours.
    var inline: HTML {
        """
        <svg class="plot\(style.isEmpty ? "" : " " + style)" \
        viewBox="0 0 \(PlotNumber.text(width)) \(PlotNumber.text(height))" role="img"><title>\(title)</title>\
        <desc>\(description)</desc>\(body)</svg>
        """
    }

    /// Room around the chart of a document, and above it for its heading.
    private static let (margin, head) = (24.0, 62.0)

    /// The chart as a document by itself, with its colours for light and dark.
    ///
    /// - Parameters:
    ///   - heading: what the chart is of; a long one is shortened.
    ///   - note: a line below the heading.
    func document(heading: String, note: String) -> String {
        let (w, h) = (width + 2 * Self.margin, height + Self.head + Self.margin)
        let left = PlotNumber.text(Self.margin)
        let html: HTML = """
            <svg xmlns="http://www.w3.org/2000/svg" class="plot" width="\(PlotNumber.text(w))" \
            height="\(PlotNumber.text(h))" viewBox="0 0 \(PlotNumber.text(w)) \(PlotNumber.text(h))" role="img">
            <title>\(heading): \(title)</title>
            <desc>\(description)</desc>
            <style>\(PlotStyle.sheet)</style>
            <rect class="paper" width="100%" height="100%"/>
            <text class="heading" x="\(left)" y="30">\(Self.shortened(heading, to: w / 8.6))</text>
            <text x="\(left)" y="48">\(Self.shortened(note, to: w / 6.2))</text>
            <g transform="translate(\(left) \(PlotNumber.text(Self.head)))">\(body)</g>
            </svg>

            """
        // XML has no place for these two, however they are written.
        return html.text.replacing("\u{FFFE}", with: "\u{FFFD}").replacing("\u{FFFF}", with: "\u{FFFD}")
    }

    private static func shortened(_ text: String, to width: Double) -> String {
        let shown = TokenText.shown(text, longest: 400)
        let most = max(8, Int(width))
        return shown.count > most ? shown.prefix(most - 1) + "…" : shown
    }
}
