import ActivationPipeline
import FeatureCatalog
import Indexing
import TerminalOutput
import Vocabulary

extension FeaturePage {
    /// Every explanation and score, reviews, texts generated with it.
    var judgements: HTML {
        let all = [explanationTable, reviewTable, interventionTable]
        return "\(all)"
    }

    private var explanationTable: HTML {
        explanations.drawn { explanations in
            let scores = scores.value ?? []
            guard !explanations.isEmpty || !scores.isEmpty else { return "" }
            let blocks = explanations.map { explanation -> HTML in
                let own = scores.filter { $0.score.explanationID == explanation.explanationID }
                return """
                    <tr><td class="wide"><bdi>\(brief(explanation.text))</bdi></td><td>\(explanation.method)</td>\
                    <td><a href="\(Address.run(explanation.runID))">run \(explanation.runID)</a></td>\
                    <td class="wide">\(own.map(cell))</td></tr>
                    """
            }
            let rest = scores.filter { judged in
                !explanations.contains { $0.explanationID == judged.score.explanationID }
            }
            let others: HTML =
                rest.isEmpty
                ? ""
                : """
                <tr><td class="wide dim">the feature itself</td><td></td><td></td>\
                <td class="wide">\(rest.map(cell))</td></tr>
                """
            return """
                <section><h2>Explanations and scores</h2><div class="scroll"><table class="list"><thead><tr>\
                <th>explanation</th>\
                <th>method</th><th>by</th><th>scores</th></tr></thead><tbody>\(blocks)\(others)</tbody></table></div>\
                </section>
                """
        }
    }

    private func cell(_ judged: Judged) -> HTML {
        let score = judged.score
        let value: HTML =
            score.value == nil
            ? "<span class=\"dim\">\(score.status.rawValue), \(score.reason ?? "")</span>"
            : """
            \(Figure.number(score.value)) <small>/ \(Figure.number(score.baselineValue)), \
            \(Figure.count(score.contextCount)) contexts</small>
            """
        return "<div>\(score.method.rawValue) \(value)</div>"
    }

    private var reviewTable: HTML {
        reviews.drawn { reviews in
            guard !reviews.isEmpty else { return "" }
            let rows = reviews.map { review -> HTML in
                """
                <tr><td class="n">\(review.verdict) <small>of 5</small></td><td>\(review.category?.rawValue ?? "")</td>\
                <td class="wide"><bdi>\(review.note ?? "")</bdi></td><td><bdi>\(review.reviewer ?? "")</bdi></td>\
                <td class="when">\(String((review.createdAt ?? "").prefix(10)))</td></tr>
                """
            }
            return """
                <section><h2>Reviews</h2><div class="scroll"><table class="list"><thead><tr><th class="n">verdict</th>\
                <th>kind</th>\
                <th>note</th><th>by</th><th>on</th></tr></thead><tbody>\(rows)</tbody></table></div></section>
                """
        }
    }

    private var interventionTable: HTML {
        interventions.drawn { interventions in
            guard !interventions.isEmpty else { return "" }
            let rows = interventions.suffix(20).map { text -> HTML in
                """
                <tr><td>\(text.operation.rawValue) \(Figure.number(text.strength))</td>\
                <td class="wide"><bdi class="dim">\(brief(text.prompt))</bdi><bdi>\(brief(text.text))</bdi></td>\
                <td class="n">\(Figure.number(text.kl))</td><td><a href="\(Address.run(text.runID))">run \(text.runID)\
                </a></td></tr>
                """
            }
            return """
                <section><h2>Texts generated with it</h2><div class="scroll"><table class="list"><thead><tr><th>edit\
                </th><th>prompt and text</th>\
                <th class="n">KL</th><th>by</th></tr></thead><tbody>\(rows)</tbody></table></div></section>
                """
        }
    }

    private func brief(_ text: String) -> String { text.count > 1200 ? text.prefix(1200) + "…" : text }

    var provenance: HTML {
        let corpusLinks = corpora.count < 2 ? nil : "<dt>corpora</dt><dd>\(corpora.map(corpusLink))</dd>" as HTML
        return """
            <dl class="fields"><dt>dictionary</dt><dd><a href="\(links.dictionary)">\
            <bdi>\(record.name)</bdi></a>, \
            trained by <a href="\(Address.run(record.runID))">run \(record.runID)</a></dd>\
            <dt>statistics</dt><dd><a href="\(Address.run(index.indexing.runID))">run \(index.indexing.runID)</a>, \
            \(Figure.count(index.indexing.tokenCount)) tokens of <bdi>\(index.corpus)</bdi></dd>\
            <dt>model</dt><dd>\(model.map { "<bdi>\($0.name)</bdi>" as HTML } ?? "unknown")</dd>\(corpusLinks)\
            <dt>in the terminal</dt><dd><code>\(command)</code></dd></dl>
            """
    }

    private func corpusLink(_ corpus: CorpusRecord) -> HTML {
        "<a href=\"\(links.on(corpus: corpus.corpusID).feature(number))\"><bdi>\(corpus.name)</bdi></a> "
    }
}
