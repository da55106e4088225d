import FeatureCatalog
import FeatureScoring
@preconcurrency import Glibc
import Indexing
import Scoring
import SparseCoding
import SparseTraining
import TerminalOutput
import Training
import Vocabulary

/// The page printed at the end of the demo, for newcomers.
struct DemoSummary {
    let catalog: Catalog
    let path: String
    let assets: String
    let training: TrainingRun.Result
    let indexing: IndexingRun.Result
    let scoring: ScoringRun.Result
    let seconds: Double
    let style: TerminalStyle

    func print() throws {
        write(heading("RouteSAE on \(assets)/model"))
        printTraining()
        try printRouting()
        let dictionary = try catalog.dictionary(training.dictionaryID)
        let text = try TokenTexts(folder: nil, catalog: catalog, dictionary: dictionary)
        let evidence = try SpanEvidence(of: scoring.features, in: catalog, indexing.key, text)
        try printSpans(evidence)
        try printCounts(dictionary)
        let chosen = try chooseFeatures(evidence)
        try printFeatures(chosen, text)
        try printNextSteps(best: chosen.first?.span.feature ?? 0)
    }

    private func printTraining() {
        let configuration = training.configuration
        write(
            """
            \(Quantities.count(configuration.latents)) latents, k = \(configuration.k ?? 0), routed over decoder layers \
            \(LayerSpan.text(of: configuration.layers, dash: "–")); \
            \(Quantities.count(training.reports.count)) steps in all.

            """)
        write(style.paint("Loss (NormMSE) by step", .bold))
        let points = training.reports.map { LineChart.Point(x: Double($0.step), y: Double($0.loss)) }
        write(LineChart(points: points, width: 60, height: 8, isLogarithmic: true).draw(style: style))
        guard let last = training.reports.last else { return }
        write("")
        fact("loss at the end", Quantities.significant(Double(last.loss)))
        fact("explained variance, training", Quantities.percentage(Double(last.explainedVariance)))
        fact(
            "explained variance, held-out",
            Quantities.percentage(indexing.explainedVariance) + " over \(Quantities.count(indexing.tokens)) tokens")
        fact("active latents a token (L0)", Quantities.significant(Double(last.l0)))
    }

    private func printRouting() throws {
        let bars = try catalog.layerProfile(indexing.key).compactMap { layer -> BarChart.Bar? in
            guard let share = layer.tokenShare, let peak = layer.peakFeatureCount else { return nil }
            return BarChart.Bar(
                label: "layer \(layer.layer)", value: share,
                note: "\(Quantities.percentage(share)) of tokens, \(Quantities.count(peak)) features peak here")
        }
        write("\n" + style.paint("Where the router sends the tokens", .bold))
        write(BarChart(bars: bars, width: 30).draw(style: style))
    }

    /// Prints how many layers features span, those with at least a tenth of a feature's firings each, and whether they
    /// say the same there.
    private func printSpans(_ evidence: SpanEvidence) throws {
        let bars = try catalog.layerSpans(indexing.key).map { layers, features in
            BarChart.Bar(
                label: layers == 1 ? "1 layer" : "\(layers) layers", value: Double(features),
                note: "\(Quantities.count(features)) features")
        }
        write(style.paint("What spans layers: features by the layers with a tenth of their firings or more", .bold))
        write(BarChart(bars: bars, width: 30).draw(style: style))
        write(
            """
            Of \(evidence.asked) sampled features that span two, \(evidence.agreeing) are strongest on the same token at the \
            two layers where they fire most;
            by chance, with another feature's contexts at one of them, \(evidence.agreeingByChance).
            """)
    }

    private func printCounts(_ dictionary: DictionaryRecord) throws {
        let count = try catalog.countInterpretable(indexing.key)
        let summaries = try catalog.dictionarySummaries(dictionaryID: training.dictionaryID)
        let scores = scoring.scores.compactMap { $0 }
        let chance = ChanceBaseline(scores: scoring.chance)
        let better = scores.filter { chance.isExceeded(by: $0) ?? false }.count
        write("\n" + style.paint("Features", .bold))
        if let dead = summaries.first?.deadCount {
            fact(
                "never fired on held-out text",
                "\(Quantities.count(dead)) of \(Quantities.count(dictionary.latentCount))")
        }
        fact(
            "interpretable by the paper's count",
            "\(Quantities.count(count.withClassRule)) (\(Quantities.count(count.withoutClassRule)) without the "
                + "32-class rule) at activations above \(Quantities.significant(count.threshold))")
        fact(
            "explanations better than chance",
            "\(better) of \(scoring.features.count) sampled; \(mean(scores).map { "mean score \($0)" } ?? "no score")"
                + (mean(chance.scores).map { ", by chance \($0)" } ?? ""))
    }

    /// The best explained features that say the same at the layers that they span, of every layer that some fire most
    /// at, then the best of the rest, up to five. Only features that fire most strongly on a word of four letters or
    /// more qualify: explanations of commas are not interesting.
    private func chooseFeatures(_ evidence: SpanEvidence) throws -> [(span: SpanEvidence.Spanning, score: Double)] {
        var candidates: [(span: SpanEvidence.Spanning, score: Double, token: String)] = []
        for (span, score) in zip(evidence.features, scoring.scores) {
            guard let score else { continue }
            let classes = try catalog.featureTokens(indexing.key, featureIndex: span.feature)
            guard let token = classes.first?.tokenClass, token.count > 3, token.allSatisfy(\.isLetter) else { continue }
            candidates.append((span, score, token))
        }
        candidates.sort { ($0.score, $1.span.feature) > ($1.score, $0.span.feature) }
        var chosen: [(span: SpanEvidence.Spanning, score: Double)] = []
        var layers: Set<Int?> = []
        var tokens: Set<String> = []
        for (isOfNewLayer, agrees) in [(true, true), (false, true), (false, false)] {
            for candidate in candidates where chosen.count < 5 && (candidate.span.agrees || !agrees) {
                guard !tokens.contains(candidate.token),
                    !isOfNewLayer || layers.insert(candidate.span.layers.first?.layer).inserted
                else { continue }
                tokens.insert(candidate.token)
                chosen.append((candidate.span, candidate.score))
            }
        }
        return chosen
    }

    private func printFeatures(_ chosen: [(span: SpanEvidence.Spanning, score: Double)], _ text: TokenTexts) throws {
        write("\n" + style.paint("Good features, with the strongest context at each layer that they span", .bold))
        for (span, score) in chosen {
            let record = try catalog.feature(indexing.key, featureIndex: span.feature)
            let explanation = try catalog.explanations(
                dictionaryID: training.dictionaryID, featureIndex: span.feature
            ).last
            write(
                "\n  " + style.paint("feature \(span.feature)", .cyan)
                    + "  score \(Quantities.significant(score)); \(Quantities.count(record.firedCount)) firings: "
                    + (try layers(of: span.feature)))
            write("  " + DisplayWidth.cut(VisibleText.of(explanation?.text ?? ""), to: 118))
            for layer in span.layers.map(\.layer).sorted() {
                guard let strongest = span.contexts[layer]?.first else { continue }
                try printContext(strongest, maximum: record.maxActivation, text)
            }
        }
    }

    /// The tokens around a context's peak on one line.
    private func printContext(_ context: ContextRecord, maximum: Float?, _ text: TokenTexts) throws {
        let tokens = try catalog.document(context.documentID).tokenIDs
        let window = context.windowStart..<context.windowStart + context.activations.count
        guard window.upperBound <= tokens.count else { return }
        let peak = context.tokenPosition - context.windowStart
        let shown = max(0, peak - 14)..<min(window.count, peak + 6)
        let line = style.highlight(
            tokens: shown.map { text.of(tokens[window.lowerBound + $0]) },
            activations: shown.map { context.activations[$0] }, maximum: maximum)
        write("    L\(context.layer)\(context.layer < 10 ? " " : "") …" + line)
    }

    private func layers(of feature: Int) throws -> String {
        try catalog.featureLayers(indexing.key, featureIndex: feature)
            .map { "\(Quantities.count($0.firedCount)) in layer \($0.layer)" }.joined(separator: ", ")
    }

    private func printNextSteps(best: Int) throws {
        // A layer in which some rare features peak, so that the query has results.
        let layer = try catalog.lastPeakLayer(indexing.key, firingRateBelow: 0.01, count: 10) ?? 0
        write(
            """

            \(style.paint("All of it is in \(path)", .bold)) (made in \(Quantities.duration(seconds: seconds))). Go on with:
              routesae feature \(path) \(best)
              routesae features \(path) --min-score 0.5 --sort simulation_score
              routesae layers \(path)
              routesae count \(path) --relative-threshold 0.25
              sqlite3 \(path) "SELECT feature_index, strongest_token FROM feature_summary \\
                WHERE peak_layer = \(layer) AND firing_rate < 0.01 ORDER BY max_activation DESC LIMIT 10"
            (routesae is .build/release/routesae)
            """)
    }

    private func heading(_ text: String) -> String { "\n" + style.paint(text, .bold) }

    private func fact(_ name: String, _ value: String) {
        write("  " + name.padding(to: 36) + value)
    }

    /// The mean as text; nil without values.
    private func mean(_ values: [Double]) -> String? {
        values.isEmpty ? nil : Quantities.significant(values.reduce(0, +) / Double(values.count))
    }

    private func write(_ line: String) { fputs(line + "\n", stdout) }
}

extension String {
    /// The text padded with spaces to a width.
    fileprivate func padding(to width: Int) -> String {
        self + String(repeating: " ", count: max(width - DisplayWidth.of(self), 1))
    }
}
