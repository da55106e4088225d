import TerminalOutput

/// What dictionaries lose against what they use: KL over L0, the better the farther down and left.
struct ParetoPlot {
    /// A dictionary as it was evaluated.
    struct Point: Sendable {
        /// Its name.
        let name: String
        /// Latents active on a token.
        let l0: Double
        /// KL divergence of the model with its reconstructions, nats a token.
        let kl: Double
        /// The ends of that one's 95 % interval, where they are known.
        let low: Double?
        let high: Double?
    }

    private static let (left, top, width, height) = (48.0, 10.0, 472.0, 250.0)
    /// Units that a character takes, about, and of a line.
    private static let (letter, line) = (6.0, 12.0)
    /// Dictionaries named; more would cover each other.
    private static let mostNames = 60

    private let points: [Point]
    private let across: PlotAxis
    private let up: PlotAxis

    /// Takes dictionaries.
    ///
    /// - Returns: nil for none with finite figures.
    init?(_ points: [Point]) {
        let finite = points.filter { $0.l0.isFinite && $0.kl.isFinite }
        guard !finite.isEmpty else { return nil }
        self.points = finite
        across = PlotAxis(finite.map(\.l0))
        up = PlotAxis(finite.flatMap { [$0.kl, $0.low ?? $0.kl, $0.high ?? $0.kl] })
    }

    private func x(_ value: Double) -> Double { Self.left + Self.width * across.share(value) }
    private func y(_ value: Double) -> Double { Self.top + Self.height * (1 - up.share(value)) }

    /// The drawing with its axes.
    var plot: Drawing {
        let (bottom, right) = (Self.top + Self.height, Self.left + Self.width)
        let grid = up.marks.map { "M\(PlotNumber.text(Self.left)) \(PlotNumber.text(y($0)))H\(PlotNumber.text(right))" }
        let rows = up.marks.map { mark -> HTML in
            """
            <text class="end" x="\(PlotNumber.text(Self.left - 6))" y="\(PlotNumber.text(y(mark) + 3.5))">\
            \(Figure.plain(mark))</text>
            """
        }
        let columns = across.marks.map { mark -> HTML in
            """
            <text class="mid" x="\(PlotNumber.text(x(mark)))" y="\(PlotNumber.text(bottom + 15))">\(Figure.plain(mark))\
            </text>
            """
        }
        let marks = points.map { point -> HTML in
            var range: HTML = ""
            if let low = point.low, let high = point.high {
                range = """
                    <path class="range" d="M\(PlotNumber.text(x(point.l0))) \(PlotNumber.text(y(low)))\
                    V\(PlotNumber.text(y(high)))"/>
                    """
            }
            return """
                \(range)<circle class="dot" cx="\(PlotNumber.text(x(point.l0)))" cy="\(PlotNumber.text(y(point.kl)))" \
                r="3.4"><title>\(point.name): L0 \(Figure.plain(point.l0)), KL \(Figure.plain(point.kl))\
                \(Self.interval(point))</title></circle>
                """
        }
        return Drawing(
            width: 520, height: 296, title: "KL against L0",
            description: """
                \(points.count) dictionaries: \
                \(points.prefix(Self.mostNames).map(Self.described).joined(separator: "; ")).
                """,
            body: """
                <path class="grid" d="\(grid.joined())"/>\
                <path class="axis" d="M\(PlotNumber.text(Self.left)) \(PlotNumber.text(bottom))H\(PlotNumber.text(right))"/>\
                <path class="front" d="\(front)"/>\(rows)\(columns)\(marks)\(names)\
                <text class="mid" x="\(PlotNumber.text(Self.left + Self.width / 2))" y="\(PlotNumber.text(bottom + 31))">\
                active latents a token (L0)\(across.isLogarithmic ? ", logarithmic" : ""); upwards: KL, nats a token\
                \(up.isLogarithmic ? ", logarithmic" : "")</text>
                """)
    }

    private static func interval(_ point: Point) -> String {
        guard let low = point.low, let high = point.high else { return "" }
        return " (\(Figure.plain(low)) … \(Figure.plain(high)))"
    }

    private static func described(_ point: Point) -> String {
        "\(point.name) with L0 \(Figure.plain(point.l0)) and KL \(Figure.plain(point.kl))\(interval(point))"
    }

    /// The dictionaries that none beats in both figures, from left to right.
    private var best: [Point] {
        points.sorted { ($0.l0, $0.kl) < ($1.l0, $1.kl) }.reduce(into: []) { best, point in
            if point.kl < best.last?.kl ?? .infinity { best.append(point) }
        }
    }

    /// Those joined by steps.
    private var front: String {
        best.enumerated().map { place, point in
            let (x, y) = (PlotNumber.text(x(point.l0)), PlotNumber.text(y(point.kl)))
            return place == 0 ? "M\(x) \(y)" : "H\(x)V\(y)"
        }.joined()
    }

    /// Names beside their points, each where it covers no point and no other name; left out where there is no room.
    private var names: [HTML] {
        struct Box {
            let left, top, right, bottom: Double
            func meets(_ other: Box) -> Bool {
                left < other.right && other.left < right && top < other.bottom && other.top < bottom
            }
        }
        var taken = points.flatMap { point in
            let (x, y) = (x(point.l0), y(point.kl))
            let ends = (self.y(point.high ?? point.kl), self.y(point.low ?? point.kl))
            return [
                Box(left: x - 4, top: y - 4, right: x + 4, bottom: y + 4),
                Box(left: x - 2, top: ends.0, right: x + 2, bottom: ends.1),
            ]
        }
        for (one, next) in zip(best, best.dropFirst()) {
            let (from, to) = ((x(one.l0), y(one.kl)), (x(next.l0), y(next.kl)))
            taken.append(Box(left: from.0, top: from.1 - 1, right: to.0, bottom: from.1 + 1))
            taken.append(Box(left: to.0 - 1, top: from.1, right: to.0 + 1, bottom: to.1))
        }
        return points.prefix(Self.mostNames).compactMap { point -> HTML? in
            let name = TokenText.shown(point.name, longest: 80)
            let text = name.count > 28 ? name.prefix(27) + "…" : name
            let (x, y, wide) = (x(point.l0), y(point.kl), Self.letter * Double(text.count))
            let choices: [(left: Double, base: Double)] = [
                (x + 8, y + 4), (x - 8 - wide, y + 4), (x - wide / 2, y - 9), (x - wide / 2, y + 18), (x + 8, y - 8),
                (x + 8, y + 16), (x - 8 - wide, y - 8), (x - 8 - wide, y + 16),
            ]
            for choice in choices {
                let box = Box(
                    left: choice.left, top: choice.base - Self.line + 2, right: choice.left + wide,
                    bottom: choice.base + 2)
                guard box.left >= Self.left, box.right <= Self.left + Self.width, box.top >= 0,
                    box.bottom <= Self.top + Self.height, !taken.contains(where: box.meets)
                else { continue }
                taken.append(box)
                return """
                    <text class="name" x="\(PlotNumber.text(choice.left))" y="\(PlotNumber.text(choice.base))">\(text)\
                    </text>
                    """
            }
            return nil
        }
    }
}
