import CatalogViewer
import TerminalOutput

/// A context on one line with highlighted firing tokens, as much of it around the peak as fits.
///
/// The peak token is marked even if the feature does not fire there: bold, and yellow where it does not fire, or
/// between double guillemets without colours.
struct ContextLine {
    private let units: [ContextUnit]
    private let maximum: Float
    private let width: Int?
    private let style: TerminalStyle

    /// Describes a line.
    ///
    /// - Parameters:
    ///   - maximum: the activation of full intensity.
    ///   - width: available columns; nil for no limit.
    init(_ units: [ContextUnit], maximum: Float, width: Int?, style: TerminalStyle) {
        self.units = units
        self.maximum = maximum
        self.width = width
        self.style = style
    }

    /// The line without its end.
    var text: String {
        guard let width else { return units.map { draw($0).text }.joined() }
        guard let peak = units.firstIndex(where: \.isPeak) ?? units.indices.first else { return "" }
        let pieces = units.map(draw)
        guard pieces.reduce(0, { $0 + $1.columns }) > width else { return pieces.map(\.text).joined() }
        // Two columns for the ellipses at either end.
        let room = max(1, width - 2)
        guard pieces[peak].columns <= room else {
            return DisplayWidth.cut(VisibleText.of(units[peak].text), to: room)
        }

        let range = Self.range(around: peak, columns: pieces.map(\.columns), room: room)
        return (range.lowerBound > 0 ? "…" : "") + pieces[range].map(\.text).joined()
            + (range.upperBound < pieces.count ? "…" : "")
    }

    /// Grows from the peak to both sides in turn, the left first: preceding text is more informative.
    private static func range(around peak: Int, columns: [Int], room: Int) -> Range<Int> {
        var (first, end) = (peak, peak + 1)
        var used = columns[peak]
        var (canGrowLeft, canGrowRight) = (true, true)
        while canGrowLeft || canGrowRight {
            for _ in 0..<2 where canGrowLeft {
                canGrowLeft = first > 0 && used + columns[first - 1] <= room
                guard canGrowLeft else { break }
                first -= 1
                used += columns[first]
            }
            canGrowRight = canGrowRight && end < columns.count && used + columns[end] <= room
            if canGrowRight {
                used += columns[end]
                end += 1
            }
        }
        return first..<end
    }

    private func draw(_ unit: ContextUnit) -> (text: String, columns: Int) {
        let plain = VisibleText.of(unit.text)
        let text = style.highlight(tokens: [unit.text], activations: [unit.activation], maximum: maximum)
        guard !style.hasColour else {
            let painted =
                unit.isPeak ? style.paint(unit.activation > 0 ? text : style.paint(plain, .yellow), .bold) : text
            return (painted, DisplayWidth.of(plain))
        }
        guard unit.isPeak else { return (text, DisplayWidth.of(text)) }
        let space = text.prefix { $0 == " " }
        let word = text.dropFirst(space.count)
        let marked = unit.activation > 0 ? "«\(word)»" : "««\(word)»»"
        return (space + marked, space.count + DisplayWidth.of(marked))
    }
}
