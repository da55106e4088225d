import ActivationPipeline
import FeatureCatalog
import Indexing
import TerminalOutput

extension FeatureListPage {
    var content: HTML {
        """
        <h1>Features <span class="of">of <a href="\(links.dictionary)"><bdi>\(record.name)\
        </bdi></a></span></h1>
        \(form)
        \(problem.map { "<p class=\"damaged\" role=\"alert\">\($0.message)</p>" as HTML })
        \(summary)
        \(entries.isEmpty ? nothing : rows)
        \(pager)
        """
    }

    private var form: HTML {
        let options = sortable.map { column -> HTML in
            let selected: HTML = column == choice.sort ? " selected" : ""
            return "<option value=\"\(column)\"\(selected)>\(column.replacing("_", with: " "))</option>"
        }
        let layers = record.layers.sorted().prefix(256).map { layer -> HTML in
            let selected: HTML = layer == choice.layer ? " selected" : ""
            return "<option value=\"\(layer)\"\(selected)>layer \(layer)</option>"
        }
        let corpus = links.fields.map {
            "<input type=\"hidden\" name=\"\($0.name)\" value=\"\(exact: $0.value)\">" as HTML
        }
        let checked: (Bool) -> HTML = { $0 ? " checked" : "" }
        return """
            <form class="filter" method="get" autocomplete="off"><label class="grow">words\
            <input name="q" type="search" value="\(exact: choice.words ?? "")" \
            placeholder="in meaning, tokens, contexts"></label>\
            <label>fires on<input name="token" value="\(exact: choice.token ?? "")" placeholder="a token" size="10">\
            </label>\
            <label>peaks in<select name="layer"><option value="">any layer</option>\(layers)</select></label>\
            <label class="grow">condition\
            <input name="where" value="\(exact: choice.condition)" \
            placeholder="p99 &gt; 5; simulation_score &gt;= 0.5" spellcheck="false"></label>\
            <label>sort by<select name="sort" data-usual="\(FeatureChoice.usualSort)">\(options)</select></label>\
            <label class="check">\
            <input type="checkbox" name="order" value="reversed"\(checked(choice.isReversed))> reversed</label>\
            <label class="check"><input type="checkbox" name="alive" value="1"\(checked(choice.isAlive))> alive</label>\
            \(corpus)<button>Show</button></form>
            """
    }

    private var summary: HTML {
        guard problem == nil, index != nil else { return "" }
        let of: HTML = total.map { " of \(Figure.count($0))" } ?? (hasMore ? " of more" : "")
        let corpus = index.map { ", on <bdi>\($0.corpus)</bdi>" as HTML }
        let range: HTML =
            entries.isEmpty
            ? "none" : "\(Figure.count(choice.offset + 1))–\(Figure.count(choice.offset + entries.count))"
        return "<p class=\"fine\" role=\"status\">\(range)\(of)\(corpus)</p>"
    }

    private var nothing: HTML {
        if index == nil {
            return """
                <p class="hint">This dictionary has no statistics yet. <code>routesae index</code> makes them.</p>
                """
        }
        let first: HTML = choice.offset > 0 ? " <a href=\"\(address(from: 0))\">The first page</a>" : ""
        return problem == nil ? "<p class=\"hint\">No feature is like that.\(first)</p>" : ""
    }

    private var rows: HTML {
        let scale = LayerScale(record.layers)
        let edges = index?.indexing.histogramEdges ?? []
        let rows = entries.map { entry -> HTML in
            let target = links.feature(entry.index)
            let histogram = Histogram(
                counts: entry.feature.histogram, edges: edges,
                largest: entry.feature.maxActivation.map { Double($0) }, most: 32)
            let context = entry.context.drawn { context in
                context.map {
                    ContextRow($0, maximum: entry.feature.maxActivation ?? 0).text(reach: (before: 14, behind: 6))
                } ?? ""
            }
            let score: HTML =
                entry.name.score.map {
                    ScoreStrip(value: $0, baseline: entry.name.baseline, limit: nil).drawn
                } ?? ""
            return """
                <li><a class="id" href="\(target)">\(entry.index)</a>\
                <div class="what"><a href="\(target)">\(entry.name.short)</a>\
                <div class="ctx">\(context)</div></div>\
                <div class="charts">\(histogram?.spark)\(LayerBars(entry.layers, scale: scale).spark)</div>\
                <dl><div><dt>fires</dt><dd>\(Figure.share(entry.name.firingRate))</dd></div>\
                <div><dt>most</dt><dd>\(Figure.number(entry.name.maximum))</dd></div>\
                <div><dt>layer</dt><dd>\
                \(entry.name.peakLayer == nil ? Figure.count(nil) : scale.badge(entry.name.peakLayer))</dd></div>\
                <div><dt>score</dt><dd>\(Figure.number(entry.name.score))\(score)</dd></div></dl></li>
                """
        }
        return """
            <div class="heads" aria-hidden="true"><span class="id">feature</span>\
            <span>meaning, strongest context</span>\
            <span class="charts"><span>activations</span><span>layers</span></span>\
            <span class="figures"><span>fires</span><span>most</span><span>layer</span><span>score</span></span></div>\
            <ol class="rows">\(rows)</ol>
            """
    }

    private var pager: HTML {
        let size = Self.rowCount
        let before: HTML =
            choice.offset > 0 && !entries.isEmpty
            ? """
            <a rel="prev" href="\(address(from: choice.offset - size))">← \
            previous</a>
            """ : ""
        let next: HTML =
            hasMore ? "<a rel=\"next\" href=\"\(address(from: choice.offset + size))\">next →</a>" : ""
        return before.isEmpty && next.isEmpty ? "" : "<nav class=\"pager\" aria-label=\"Pages\">\(before)\(next)</nav>"
    }
}
