import ActivationPipeline
import CatalogViewer
import FeatureCatalog
import FeatureScoring
import TerminalOutput
import Vocabulary

/// One feature as a page for people.
struct FeaturePage {
    let report: FeatureReport
    let style: TerminalStyle
    /// The newest score of every method, with its baseline.
    let scores: [(score: ScoreRecord, chance: ChanceBaseline)]

    /// The number of token classes shown.
    private static let shownClassCount = 10

    init(_ report: FeatureReport, in catalog: Catalog, style: TerminalStyle) throws {
        self.report = report
        self.style = style
        let current = report.explanations.first?.explanationID
        scores = try ScoreMethod.allCases.compactMap { method in
            // Scores of a replaced explanation do not apply to the new one.
            let score = report.scores.first {
                $0.method == method && ($0.explanationID == nil || $0.explanationID == current)
            }
            return try score.map { ($0, try report.chance(of: $0, in: catalog)) }
        }
    }

    /// The page.
    var text: String {
        var page = PageText(style: style)
        let isDead = report.feature.firedCount == 0
        page.title(
            "feature \(report.feature.featureIndex) of \(report.dictionary.record.name)\(isDead ? " (dead)" : "")")
        addMeaning(to: &page)
        addFigures(to: &page)
        guard !isDead else {
            addContexts(to: &page)
            return page.text
        }
        addHistogram(to: &page)
        addLayers(to: &page)
        addTokens(to: &page)
        addContexts(to: &page)
        return page.text
    }

    private func addMeaning(to page: inout PageText) {
        if let newest = report.explanations.first {
            page.field("explanation", "\(newest.text)  (\(newest.method), run \(newest.runID))")
        } else if report.feature.firedCount > 0 {
            page.field("explanation", "none yet; 'routesae score' makes one", paint: .dim)
        }
        for (score, chance) in scores { addScore(score, chance, to: &page) }
        if scores.isEmpty, !report.explanations.isEmpty { page.field("score", "none yet", paint: .dim) }
        for earlier in report.explanations.dropFirst() {
            page.field("earlier", "\(earlier.text)  (\(earlier.method), run \(earlier.runID))", paint: .dim)
        }
    }

    private func addScore(_ score: ScoreRecord, _ chance: ChanceBaseline, to page: inout PageText) {
        let method = score.method.rawValue
        guard let value = score.value else {
            return page.field(
                method, "\(score.status.rawValue): \(OptionNames.spelled(score.reason ?? "no reason given"))",
                paint: .yellow)
        }

        var line = "\(Quantities.significant(value)) on \(Quantities.count(score.contextCount)) contexts"
        if let baseline = score.baselineValue {
            line += "; by chance, with another feature's explanation, \(Quantities.significant(baseline))"
        }
        guard let limit = chance.percentile(), let isBetter = chance.isExceeded(by: value) else {
            return page.field(method, line)
        }
        line += "; 95th percentile of chance \(Quantities.significant(limit)): "
        line += isBetter ? "better than chance" : "no better than chance"
        page.field(method, line, paint: isBetter ? .green : .yellow)
    }

    private func addFigures(to page: inout PageText) {
        let feature = report.feature
        let indexing = report.dictionary.indexing
        let tokens = "\(Quantities.count(indexing.tokenCount)) tokens"
        let documents = "\(Quantities.count(indexing.documentCount)) documents"
        if feature.firedCount == 0 {
            page.field("fires", "never, on \(tokens) of \(documents)", paint: .yellow)
        } else {
            let share = Quantities.significant(100 * Double(feature.firedCount) / Double(max(1, indexing.tokenCount)))
            page.field(
                "fires",
                "on \(Quantities.count(feature.firedCount)) of \(tokens) (\(share) %), "
                    + "in \(Quantities.count(feature.documentCount)) of \(documents)")
        }
        page.field("activation", activation(of: feature))
        if let layer = report.summary["peak_layer"]?.number, let share = report.summary["peak_layer_share"]?.number,
            let entropy = report.summary["layer_entropy"]?.number
        {
            page.field(
                "layers",
                "\(Quantities.percentage(share)) of firings in layer \(Int(layer)), "
                    + "entropy \(Quantities.significant(entropy)) nats")
        }
        page.field("decoder", "norm \(Quantities.significant(feature.decoderNorm))")
        for direction in FeatureLogit.Direction.allCases {
            page.field(
                direction == .promoted ? "promotes" : "suppresses",
                report.logits.filter { $0.logit.direction == direction }.map { logit, text in
                    "\(text.map { "'\($0)'" } ?? "#\(logit.tokenID)") \(Quantities.significant(Double(logit.value)))"
                }.joined(separator: ", "))
        }
        page.field(
            "near",
            report.neighbors.map { "\($0.neighborIndex) (\(Quantities.significant(Double($0.cosine))))" }
                .joined(separator: ", "))
    }

    private func activation(of feature: FeatureRecord) -> String {
        guard let mean = feature.meanActivation, let maximum = feature.maxActivation else { return "" }
        var line = "mean \(Quantities.significant(mean))"
        if let deviation = feature.stdActivation { line += " ± \(Quantities.significant(deviation))" }
        if let quantiles = feature.quantiles {
            let named = [
                ("p10", quantiles.p10), ("p50", quantiles.p50), ("p90", quantiles.p90), ("p99", quantiles.p99),
            ]
            line += ", " + named.map { "\($0.0) \(Quantities.significant(Double($0.1)))" }.joined(separator: ", ")
        }
        return line + ", most \(Quantities.significant(Double(maximum)))"
    }

    private func addHistogram(to page: inout PageText) {
        let edges = report.dictionary.indexing.histogramEdges
        let counts = report.feature.histogram
        guard counts.count + 1 == edges.count, let first = counts.firstIndex(where: { $0 > 0 }),
            let last = counts.lastIndex(where: { $0 > 0 })
        else { return }
        let occupied = counts[first...last]
        // A bin may be too narrow to see, or there may be more bins than columns.
        let room = max(10, (style.width ?? 80) - 12)
        let merged = (occupied.count + room - 1) / room
        let repeated = max(1, min(4, min(room, 60) / occupied.count))
        let columns = stride(from: first, through: last, by: merged).flatMap { start in
            Array(repeating: counts[start..<min(start + merged, last + 1)].reduce(0, +), count: repeated)
        }

        let upper = min(edges[last + 1], report.feature.maxActivation.map { Double($0) } ?? .infinity)
        // Outer edges may be 0 and the largest number there is, so the inner ones tell how they grow.
        let inner = edges.dropFirst().dropLast()
        let isLogarithmic = inner.count > 2 && (inner.last ?? 0) > 100 * (inner.first ?? 0) && (inner.first ?? 0) > 0
        page.section("firings by activation", remark: isLogarithmic ? "logarithmic" : "")
        page.text += HistogramChart(counts: columns, lower: edges[first], upper: upper).draw(style: style)
    }

    private func addLayers(to page: inout PageText) {
        guard !report.layers.isEmpty else { return }
        let total = Double(max(1, report.feature.firedCount))
        let isNarrow = (style.width ?? 100) < 80
        let bars = report.layers.map { layer in
            var note =
                "\(Quantities.percentage(Double(layer.firedCount) / total))  \(Quantities.count(layer.firedCount))"
            if !isNarrow {
                note += "  mean \(Quantities.significant(layer.sumActivation / Double(max(1, layer.firedCount))))"
                note += "  most \(Quantities.significant(Double(layer.maxActivation)))"
                if let weight = layer.meanRouterWeight { note += "  router \(Quantities.significant(weight))" }
            }
            return BarChart.Bar(label: "layer \(layer.layer)", value: Double(layer.firedCount), note: note)
        }
        page.section("firings by layer")
        let width = min(40, max(8, (style.width ?? 100) - (isNarrow ? 28 : 60)))
        page.text += BarChart(bars: bars, width: width).draw(style: style)
    }

    private func addTokens(to page: inout PageText) {
        let shown = report.tokens.prefix(Self.shownClassCount)
        guard !shown.isEmpty else { return }
        let count = report.tokens.count
        page.section("strongest tokens", remark: count > shown.count ? "\(shown.count) of \(count) classes kept" : "")
        page.text += RowPrinter.render(
            columns: ["token", "n_fired", "strongest", "second"],
            rows: shown.map { token in
                [
                    .text(token.tokenClass.isEmpty ? "␣" : token.tokenClass), Cell(token.firedCount),
                    Cell(Double(token.activation1)), Cell(token.activation2.map { Double($0) }),
                ]
            },
            format: .table, style: style)
    }

    private func addContexts(to page: inout PageText) {
        let maximum = report.feature.maxActivation ?? 0
        for band in ContextBand.allCases {
            let contexts = report.contexts.filter { $0.band == band }
            guard !contexts.isEmpty else { continue }
            switch band {
            case .top: page.section("strongest contexts")
            case .sample: page.section("sampled contexts", remark: "drawn uniformly from all firings")
            case .quiet: page.section("quiet contexts", remark: "the feature does not fire at the marked token")
            }
            for context in contexts {
                let activation = Quantities.significant(Double(context.activation))
                let layer = "L\(context.layer)"
                let start =
                    String(repeating: " ", count: max(0, 7 - activation.count)) + activation + "  " + layer
                    + String(repeating: " ", count: max(0, 4 - layer.count)) + " "
                let line = ContextLine(
                    report.units(of: context), maximum: maximum, width: style.width.map { max(10, $0 - start.count) },
                    style: style)
                page.text += style.paint(start, .dim) + line.text + "\n"
            }
        }
    }
}
