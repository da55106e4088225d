import ActivationPipeline
import FeatureCatalog
import JSON
import Vocabulary

/// Features judged blind, one after another: contexts, and a form for the verdict. No explanation and no score is read.
struct ReviewPage: Page {
    /// A feature to judge.
    private struct Question {
        let feature: Int
        let contexts: [(band: ContextBand, texts: [ContextText])]
        let maximum: Float
    }

    private let choice: ReviewChoice
    private let dictionaries: [(record: DictionaryRecord, reference: String)]
    private let formToken: String
    /// The sample's features, and how many of them wait for a verdict; nil before the person is known.
    private let progress: (all: Int, pending: Int)?
    private let question: Question?
    /// The receipt of the verdict that can be taken back.
    private let last: String?
    let dictionaryID: Int64?

    init(_ visit: Visit, _ reviews: ReviewDesk) throws {
        let choice = try ReviewChoice(visit.query)
        self.choice = choice
        dictionaries = visit.dictionaries.map { ($0, visit.reference(to: $0)) }
        formToken = visit.site.formToken
        last = visit.query["last"].flatMap { reviews.verdict(of: $0, by: choice.reviewer) == nil ? nil : $0 }
        guard let reviewer = choice.reviewer else {
            dictionaryID = try choice.dictionary.map {
                try StoredDictionary.record(named: $0, in: visit.catalog).dictionaryID
            }
            (progress, question) = (nil, nil)
            return
        }
        let sample = try choice.sample(in: visit.catalog)
        dictionaryID = sample.index.key.dictionaryID
        let pending = try sample.pending(for: reviewer, in: visit.catalog)
        progress = (sample.features.count, pending.count)
        let skipped = Set(choice.skipped)
        question = try pending.first { !skipped.contains($0) }.map { feature in
            let most = ReviewSample.contextCount
            return Question(
                feature: feature,
                contexts: try [
                    (ContextBand.top, most), (.sample, ReviewSample.sampledContextCount(beside: most)),
                ].map { band, limit in
                    let texts = try visit.catalog.contextTexts(
                        sample.index.key, featureIndex: feature, band: band, limit: limit)
                    return (band, texts)
                },
                maximum: try visit.catalog.feature(sample.index.key, featureIndex: feature).maxActivation ?? 0)
        }
    }

    var title: String { "Review" }
    var address: Address { choice.address }
    var section: Shell.Section { .review }

    var content: HTML {
        guard let progress, let reviewer = choice.reviewer else {
            return "<h1>Review</h1>\(introduction)\(start)"
        }
        return """
            <h1>Review</h1>
            <p class="lead" role="status">\(Figure.count(progress.pending)) of \(Figure.count(progress.all)) features \
            left for <bdi>\(reviewer)</bdi>.</p>
            \(question.map(drawn) ?? end)\(undo)
            """
    }

    private var introduction: HTML {
        """
        <p class="hint">Of every feature only its contexts are shown: no explanation, no score. Each verdict is \
        stored when it is given, and a feature that you have judged is not shown to you again.</p>
        """
    }

    private var start: HTML {
        let options = dictionaries.map { record, reference -> HTML in
            let isChosen = record.dictionaryID == (dictionaryID ?? dictionaries.last?.record.dictionaryID)
            let selected: HTML = isChosen ? " selected" : ""
            return "<option value=\"\(exact: reference)\"\(selected)>\(record.name)</option>"
        }
        let corpus = choice.corpus.map { "<input type=\"hidden\" name=\"corpus\" value=\"\(exact: $0)\">" as HTML }
        return """
            <form class="filter" method="get" action="/review"><label>your name<input name="reviewer" required \
            maxlength="100"></label><label>dictionary<select name="dictionary">\(options)</select></label>\
            <label>features drawn\
            <input name="sample" type="number" min="1" max="10000" value="\(choice.count)"></label>\
            <label>seed<input name="seed" type="number" min="0" value="\(exact: "\(choice.seed)")"></label>\(corpus)\
            <button>Begin</button></form>
            """
    }

    /// The fields that both forms send back.
    private var hidden: HTML {
        HTML(
            (choice.fields + [("token", formToken)]).map {
                "<input type=\"hidden\" name=\"\($0.name)\" value=\"\(exact: $0.value)\">"
            })
    }

    private func drawn(_ question: Question) -> HTML {
        let lists = question.contexts.map { band, texts -> HTML in
            guard !texts.isEmpty else { return "" }
            let rows = texts.map {
                "<li><div class=\"ctx\">\(ContextRow($0, maximum: question.maximum).text())</div></li>" as HTML
            }
            let heading: HTML = band == .top ? "Strongest contexts" : "Drawn uniformly from all firings"
            return "<section><h2>\(heading)</h2><ol class=\"contexts\">\(rows)</ol></section>"
        }
        let meanings: [Int: HTML] = [
            5: "a clear pattern without exceptions", 4: "one or two exceptions", 3: "many exceptions",
            2: "a broad theme", 1: "no pattern",
        ]
        let verdicts = ReviewRecord.verdicts.reversed().map { verdict -> HTML in
            """
            <label class="check"><input type="radio" name="verdict" value="\(verdict)" required \
            data-key="\(verdict)"> <kbd>\(verdict)</kbd> \(meanings[verdict])</label>
            """
        }
        let categories = FeatureCategory.allCases.map { category -> HTML in
            let key = String(category.rawValue.prefix(1))
            return """
                <label class="check"><input type="radio" name="category" value="\(category.rawValue)" \
                data-key="\(key)"> <kbd>\(key)</kbd> \(category.rawValue)</label>
                """
        }
        var other = choice
        other.skipped.append(question.feature)
        return """
            <form class="review" method="post" action="/review">\(hidden)\
            <input type="hidden" name="feature" value="\(question.feature)">
            <fieldset><legend>Do the marked tokens have a pattern?</legend>\(verdicts)</fieldset>
            <fieldset><legend>Of what kind? <small>may stay open</small></legend>\(categories)</fieldset>
            <div class="line"><label class="grow">note <input name="note" maxlength="\(ReviewDesk.longestNote)" \
            autocomplete="off"></label><button data-key="Enter">Store</button>\
            <a class="button" href="\(other.address)" data-key="s"><kbd>s</kbd> skip</a></div></form>
            \(lists)
            """
    }

    private var end: HTML {
        var again = choice
        again.skipped = []
        let skipped: HTML =
            choice.skipped.isEmpty || progress?.pending == 0
            ? "" : " <a href=\"\(again.address)\">Show those that were skipped</a>."
        return "<p class=\"hint\">Nothing is left to judge.\(skipped) <a href=\"/review\">Another sample</a>.</p>"
    }

    private var undo: HTML? {
        last.map {
            """
            <form class="review" method="post" action="/review">\(hidden)\
            <input type="hidden" name="undo" value="\($0)">\
            <button data-key="z"><kbd>z</kbd> take back the last verdict</button></form>
            """
        }
    }

    var json: JSONValue {
        .object([
            "reviewer": JSONValue(choice.reviewer), "n_features": JSONValue(progress?.all),
            "n_left": JSONValue(progress?.pending), "feature_index": JSONValue(question?.feature),
            "contexts": .array(
                (question?.contexts ?? []).flatMap { band, texts in
                    texts.map { text in
                        .object([
                            "band": .string(band.rawValue), "tokens": .array(text.tokens.map { .string($0) }),
                            "activations": .array(text.activations.map { JSONValue($0) }),
                        ])
                    }
                }),
        ])
    }
}
