import ActivationPipeline
import CatalogMaintenance
import FeatureCatalog
import FeatureScoring
import Indexing
import JSON
import TerminalOutput
import Vocabulary

/// One dictionary: how it was trained, where it reads, what its features are worth.
struct DictionaryPage: Page {
    /// Features shown of the best explained.
    private static let bestCount = 12

    private let record: DictionaryRecord
    private let links: DictionaryLinks
    private let index: IndexedDictionary?
    private let summaries: [DictionarySummary]
    private let corpora: [CorpusRecord]
    private let layers: Part<[LayerProfile]>
    private let scores: Part<FigureCache.Figures?>
    private let evaluations: Part<[EvaluationRecord]>
    private let curves: [LinePlot]
    private let best: Part<[(index: Int, name: FeatureName)]>
    private let model: LanguageModelRecord?

    init(_ visit: Visit) throws {
        let catalog = visit.catalog
        record = try visit.dictionary()
        links = try visit.links(to: record)
        index = try visit.index(of: record)
        summaries = try catalog.dictionarySummaries(dictionaryID: record.dictionaryID)
        corpora = try catalog.corpora()
        let (record, index) = (record, index)
        model = try catalog.languageModels().first { $0.languageModelID == record.languageModelID }
        layers = Part { try index.map { try catalog.layerProfile($0.key) } ?? [] }
        let scoredCount = summaries.compactMap(\.explainedCount).max() ?? 0
        scores = Part {
            try index.map {
                try visit.site.cache.figures($0.key, scoreCount: scoredCount, in: catalog, stamp: visit.stamp)
            }
        }
        evaluations = Part {
            let all = try catalog.evaluations(dictionaryID: record.dictionaryID)
            return all.filter { $0.runID == all.last?.runID }
        }
        curves = try ["loss", "explained_variance"].compactMap {
            try catalog.runCurve(record.runID, name: $0, stretches: 240).flatMap(LinePlot.init)
        }
        best = Part {
            guard let index else { return [] }
            let known = try SummaryColumns(of: catalog)
            var listing = FeatureListing(key: index.key)
            listing.columns = [try known.named("feature_index")]
            listing.order = try known.named("simulation_score")
            listing.isDescending = true
            listing.limit = Self.bestCount
            let numbers = try listing.rows(in: catalog).result.rows.compactMap { $0[0].wholeNumber }
            let names = try FeatureName.of(numbers, index.key, in: catalog)
            return numbers.compactMap { number in names[number].map { (number, $0) } }
        }
    }

    var title: String { record.name }
    var address: Address { links.dictionary }
    var section: Shell.Section { .none }
    var dictionaryID: Int64? { record.dictionaryID }
    private var scale: LayerScale { LayerScale(record.layers) }

    private var mapLink: HTML? {
        index == nil ? nil : " <a class=\"button quiet\" href=\"\(links.map)\">Map</a>"
    }

    private var summary: DictionarySummary? {
        summaries.first { $0.corpusID == index?.key.corpusID } ?? summaries.first
    }

    var content: HTML {
        """
        <h1><bdi>\(record.name)</bdi></h1>
        <p class="lead">\(record.architecture.rawValue), \(Figure.count(record.latentCount)) features\
        \(record.k.map { ", k = \($0)" } ?? ""), width \(record.dModel), layers \
        \(LayerSpan.text(of: record.layers, dash: "–", separator: ", ")).\
        \(indexed)</p>
        <p class="go"><a class="button" href="\(links.features())">All features</a>\(mapLink)</p>
        \(facts)
        <div class="columns">\(layerSection)\(curveSections)</div>
        <div class="columns">\(scoreSection)\(evaluationSection)</div>
        \(bestSection)
        <section><h2>Provenance</h2>\(provenance)</section>
        """
    }

    private var indexed: HTML {
        guard let index else { return "" }
        return " Indexed on \(Figure.count(index.indexing.tokenCount)) tokens of <bdi>\(index.corpus)</bdi>."
    }

    private var facts: HTML {
        let count = (scores.value ?? nil)?.count
        return """
            <dl class="facts"><div><dt>alive</dt><dd>\(Figure.count(summary?.aliveCount))</dd></div>\
            <div><dt>dead</dt><dd>\(Figure.count(summary?.deadCount))</dd></div>\
            <div><dt>active a token</dt><dd>\(Figure.number(summary?.meanActivePerToken))</dd></div>\
            <div><dt>explained variance</dt><dd>\(Figure.share(summary?.explainedVariance))</dd></div>\
            <div><dt>KL, nats a token</dt><dd>\(Figure.number(summary?.kl))</dd></div>\
            <div><dt>loss recovered</dt><dd>\(Figure.share(summary?.recovered))</dd></div>\
            <div><dt>interpretable by the paper's count</dt><dd>\(Figure.count(count?.withClassRule)) \
            <small>above \(Figure.number(count?.threshold))</small></dd></div>\
            <div><dt>explanations</dt><dd>\(Figure.count(summary?.explainedCount))</dd></div></dl>
            """
    }

    private var layerSection: HTML {
        layers.drawn { layers in
            guard !layers.isEmpty else { return "" }
            let greatest = layers.compactMap(\.tokenShare).max() ?? 0
            let rows = layers.map { layer -> HTML in
                let share = (layer.tokenShare ?? 0) / max(greatest, 1e-12)
                let bar = LayerBars.meter(share, style: scale.style(layer.layer))
                return """
                    <tr><th scope="row">\(scale.badge(layer.layer))</th>\
                    <td class="bar">\(bar)</td>\
                    <td class="n">\(Figure.share(layer.tokenShare))</td>\
                    <td class="n">\(Figure.number(layer.meanRouterWeight))</td>\
                    <td class="n"><a href="\(links.features([("layer", "\(layer.layer)")]))">\
                    \(Figure.count(layer.peakFeatureCount))</a></td>\
                    <td class="n">\(Figure.number(layer.meanActivation))</td>\
                    <td class="n">\(Figure.share(explained(layer.layer)))</td></tr>
                    """
            }
            return """
                <section><h2>Layers</h2><div class="scroll"><table class="list fit"><thead><tr><th>layer</th>\
                <th>tokens read there</th>\
                <th class="n">share</th><th class="n">router</th><th class="n">features peak</th>\
                <th class="n">mean activation</th><th class="n">explained</th></tr></thead><tbody>\(rows)</tbody>\
                </table></div></section>
                """
        }
    }

    /// The share of the variance explained of the tokens read at a layer.
    private func explained(_ layer: Int) -> Double? {
        evaluations.value?.first { $0.metric == "explained_variance" && $0.layer == layer }?.value
    }

    private var curveSections: HTML {
        guard !curves.isEmpty else { return "" }
        let plots = curves.map {
            "<figure><figcaption>\($0.name.replacing("_", with: " "))</figcaption>\($0.plot?.inline)</figure>" as HTML
        }
        return "<section><h2>Training</h2>\(plots)</section>"
    }

    private var scoreSection: HTML {
        scores.drawn { figures in
            guard let table = figures?.table else { return "" }
            let all = table.all
            let isDone = figures?.hasIntervals ?? false
            let meanScore =
                isDone
                ? Figure.interval(all.meanScore?.mean, all.meanScore?.low, all.meanScore?.high)
                : "\(Figure.number(all.meanScore?.mean)) <small>interval in a moment, when loaded again</small>"
            let separation = (figures?.separation).map {
                "; a right explanation beats a wrong one with probability \(Figure.number($0))" as HTML
            }
            let rows = table.byLayer.map { layer, figures -> HTML in
                """
                <tr><th scope="row">\(scale.badge(layer))</th><td class="n">\(Figure.count(figures.scoredCount))</td>\
                <td class="n">\(Figure.number(figures.meanScore?.mean))</td>\
                <td class="n">\(Figure.number(figures.meanChance))</td>\
                <td class="n">\(Figure.share(figures.share?.mean))</td></tr>
                """
            }
            return """
                <section><h2>Explanations</h2>\
                <p>By \(table.scorer), \(Figure.count(all.scoredCount)) features: mean score \
                \(meanScore), wrong explanations \
                \(Figure.number(all.meanChance)). \(Figure.share(all.share?.mean)) score better than 95 % of those\
                \(separation).</p>\
                <div class="columns">\(figures?.distribution.map { "<figure>\($0.plot.inline)</figure>" as HTML })\
                <div class="scroll"><table class="list fit"><thead>\
                <tr><th>layer</th><th class="n">scored</th><th class="n">mean score</th>\
                <th class="n">baseline</th><th class="n">better</th></tr></thead><tbody>\(rows)</tbody></table></div>\
                </div></section>
                """
        }
    }

    private var evaluationSection: HTML {
        evaluations.drawn { evaluations in
            let rows = evaluations.filter { $0.layer == nil }.sorted(by: FigureNames.precedes).map { figure -> HTML in
                let interval: HTML =
                    figure.low == nil ? "" : "\(Figure.number(figure.low)) … \(Figure.number(figure.high))"
                return """
                    <tr><th scope="row">\(FigureNames.name(of: figure.metric))</th>\
                    <td class="n">\(Figure.number(figure.value))</td>\
                    <td class="n dim">\(interval)</td></tr>
                    """
            }
            guard let first = evaluations.first, !rows.isEmpty else { return "" }
            return """
                <section><h2>Evaluation</h2><p>By <a href="\(Address.run(first.runID))">run \(first.runID)</a>, on \
                \(Figure.count(first.tokenCount)) tokens.</p><div class="scroll"><table class="list fit"><thead><tr>\
                <th>figure</th>\
                <th class="n">value</th><th class="n">95 % interval</th></tr></thead><tbody>\(rows)</tbody></table>\
                </div></section>
                """
        }
    }

    private var bestSection: HTML {
        best.drawn { best in
            let rows = best.filter { $0.name.score != nil }.map { number, name -> HTML in
                """
                <li><a href="\(links.feature(number))"><span class="id">\(number)</span>\
                <span>\(name.short)</span></a> \(scale.badge(name.peakLayer)) <small>\(Figure.number(name.score))\
                </small></li>
                """
            }
            guard !rows.isEmpty else { return "" }
            return "<section><h2>Best explained features</h2><ol class=\"features\">\(rows)</ol></section>"
        }
    }

    private var provenance: HTML {
        let corpusLinks = summaries.compactMap { summary -> HTML? in
            guard let corpus = corpora.first(where: { $0.corpusID == summary.corpusID }) else { return nil }
            return "<a href=\"\(links.on(corpus: corpus.corpusID).dictionary)\"><bdi>\(corpus.name)</bdi></a> "
        }
        return """
            <dl class="fields"><dt>made by</dt><dd><a href="\(Address.run(record.runID))">run \(record.runID)</a></dd>\
            <dt>model</dt><dd>\(model.map { "<bdi>\($0.name)</bdi>" as HTML } ?? "unknown")</dd>\
            <dt>trained on</dt><dd>\(Figure.count(record.trainedTokenCount)) tokens</dd>\
            <dt>follows</dt><dd>the \(record.fidelity.rawValue) method</dd>\
            <dt>indexed on</dt><dd>\
            \(corpusLinks.isEmpty ? "no text yet; <code>routesae index</code> does it" : HTML(corpusLinks))</dd></dl>
            """
    }

    var json: JSONValue {
        get throws {
            let layers = try layers.get().map { layer -> JSONValue in
                .object([
                    "layer": JSONValue(layer.layer), "n_tokens": JSONValue(layer.tokenCount),
                    "token_share": JSONValue(layer.tokenShare),
                    "mean_router_weight": JSONValue(layer.meanRouterWeight),
                    "n_peak_features": JSONValue(layer.peakFeatureCount),
                ])
            }
            return .object([
                "dictionary_id": JSONValue(record.dictionaryID), "name": .string(record.name),
                "architecture": .string(record.architecture.rawValue), "d_model": JSONValue(record.dModel),
                "n_latents": JSONValue(record.latentCount), "k": JSONValue(record.k),
                "layers": .array(record.layers.map { JSONValue($0) }), "run_id": JSONValue(record.runID),
                "model": JSONValue(model?.name), "corpora": .array(summaries.map(Self.json)),
                "corpus": JSONValue(index?.corpus), "layer_profile": .array(layers),
                "evaluations": .array(try evaluations.get().map(ComparePage.json)),
            ])
        }
    }

    /// The figures of a dictionary on a corpus.
    static func json(_ summary: DictionarySummary) -> JSONValue {
        .object([
            "corpus_id": JSONValue(summary.corpusID), "final_loss": JSONValue(summary.finalLoss),
            "n_tokens_indexed": JSONValue(summary.tokenCount), "n_alive": JSONValue(summary.aliveCount),
            "n_dead": JSONValue(summary.deadCount), "mean_active_per_token": JSONValue(summary.meanActivePerToken),
            "explained_variance": JSONValue(summary.explainedVariance), "kl": JSONValue(summary.kl),
            "recovered": JSONValue(summary.recovered), "n_explained": JSONValue(summary.explainedCount),
            "mean_simulation_score": JSONValue(summary.meanScore),
            "mean_simulation_baseline": JSONValue(summary.meanChance),
        ])
    }
}
