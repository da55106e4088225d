import ActivationPipeline
import FeatureCatalog
import FeatureScoring
import Indexing
import TerminalOutput
import Vocabulary

extension FeaturePage {
    var content: HTML {
        """
        <header class="feature"><div class="turn">\(turn(-1, "previous"))\(turn(1, "next"))</div>
        <p class="kicker">Feature \(number)\(steer)</p>
        <h1 class="meaning">\(name?.short)</h1>
        \(scoreLine)\(facts)</header>
        <div class="sheet"><div class="read">\(contexts.map(contextSection))\(isDead ? "" : more)</div>
        <div class="side">\(histogram)\(layerSection)\(tokenSection)\(logitSection)\(neighborSection)\
        \(cofiringSection)</div></div>
        \(judgements)
        <section><h2>Provenance</h2>\(provenance)</section>
        """
    }

    private func turn(_ step: Int, _ word: String) -> HTML {
        let other = number + step
        guard (0..<record.latentCount).contains(other) else { return "" }
        return """
            <a rel="\(step < 0 ? "prev" : "next")" href="\(links.feature(other))" title="\(word) feature">\
            \(step < 0 ? "←" : "→")<span class="hide"> \(word) feature</span></a>
            """
    }

    private var steer: HTML {
        hasModel ? " · <a href=\"\(links.steering(number))\">steer with it</a>" : ""
    }

    private var scoreLine: HTML {
        scores.drawn { scores in
            let newest = explanations.value?.first?.explanationID
            let shown = ScoreMethod.allCases.compactMap { method in
                // Scores of a replaced explanation do not apply to the new one.
                scores.first {
                    $0.score.method == method && ($0.score.explanationID == nil || $0.score.explanationID == newest)
                }
            }
            guard !shown.isEmpty else { return "" }
            return "<div class=\"scores\">\(shown.map(scoreItem))</div>"
        }
    }

    private func scoreItem(_ judged: Judged) -> HTML {
        let score = judged.score
        guard let value = score.value else {
            return """
                <p><b>\(score.method.rawValue)</b> <span class="dim">\(score.status.rawValue): \(score.reason ?? "")\
                </span></p>
                """
        }
        let limit = judged.chance.percentile()
        let scale: ClosedRange<Double> = score.method == .rubric ? 1...5 : 0...1
        let verdict: HTML =
            switch judged.chance.isExceeded(by: value) {
            case true?: "<span class=\"good\">better than baseline</span>"
            case false?: "<span class=\"poor\">no better than baseline</span>"
            case nil: ""
            }
        let baseline = score.baselineValue.map { "<span class=\"dim\">baseline \(Figure.number($0))</span>" as HTML }
        return """
            <p><b>\(score.method.rawValue)\
            </b> \(ScoreStrip(value: value, baseline: score.baselineValue, limit: limit, scale: scale).drawn) \
            <span class="n">\(Figure.number(value))</span> \(baseline) \(verdict)</p>
            """
    }

    private var facts: HTML {
        guard !isDead else {
            return """
                <p class="hint">Never fired on \(Figure.count(index.indexing.tokenCount)) tokens of \
                <bdi>\(index.corpus)</bdi>.</p>
                """
        }
        let share = Double(feature.firedCount) / Double(max(1, index.indexing.tokenCount))
        return """
            <dl class="facts"><div><dt>fires on</dt><dd>\(Figure.share(share)) \
            <small>\(Figure.count(feature.firedCount)) \
            tokens</small></dd></div><div><dt>in documents</dt><dd>\(Figure.count(feature.documentCount)) <small>of \
            \(Figure.count(index.indexing.documentCount))</small></dd></div><div><dt>mean</dt>\
            <dd>\(Figure.number(feature.meanActivation)) \
            <small>± \(Figure.number(feature.stdActivation))</small></dd></div>\
            <div><dt>median</dt><dd>\(Figure.number(feature.quantiles.map { Double($0.p50) }))</dd></div>\
            <div><dt>p99</dt><dd>\(Figure.number(feature.quantiles.map { Double($0.p99) }))</dd></div>\
            <div><dt>most</dt><dd>\(Figure.number(feature.maxActivation.map { Double($0) }))</dd></div>\
            <div><dt>peak layer</dt><dd>\(name?.peakLayer == nil ? Figure.count(nil) : scale.badge(name?.peakLayer))\
            </dd></div>\
            <div><dt>decoder norm</dt><dd>\(Figure.number(feature.decoderNorm))</dd></div></dl>
            """
    }

    private func contextSection(_ band: ContextBand, _ part: Part<[ContextText]>) -> HTML {
        let (title, remark): (String, String) =
            switch band {
            case .top: ("Strongest contexts", "")
            case .sample: ("Sampled contexts", "drawn uniformly from all firings")
            case .quiet: ("Quiet contexts", "it does not fire at the underlined token")
            }
        let list = part.drawn { contexts in
            guard !contexts.isEmpty else { return "" }
            let rows = contexts.map { context -> HTML in
                let target = links.context(number, band, context.rank)
                return """
                    <li><span class="n">\(band == .quiet ? "" : Figure.number(Double(context.activation)))</span>\
                    \(scale.badge(context.layer))\
                    <div class="ctx">\(ContextRow(context, maximum: feature.maxActivation ?? 0).text())\
                    \(repeats(context)) <a class="open" href="\(target)" title="the whole passage">passage</a></div>\
                    </li>
                    """
            }
            return "<ol class=\"contexts\">\(rows)</ol>"
        }
        guard !list.isEmpty else { return "" }
        let note: HTML = remark.isEmpty ? "" : " <small>\(remark)</small>"
        return "<section><h2>\(title)\(note)</h2>\(list)</section>"
    }

    private func repeats(_ context: ContextText) -> HTML {
        guard let count = context.occurrenceCount, count > 1 else { return "" }
        return " <small class=\"dim\" title=\"this text occurs so often\">×\(Figure.count(count))</small>"
    }

    private var more: HTML {
        showsAll
            ? "<p><a href=\"\(address.with("contexts", nil))\">Fewer contexts</a></p>"
            : "<p><a href=\"\(address.with("contexts", "all"))\">All contexts kept</a></p>"
    }
}
