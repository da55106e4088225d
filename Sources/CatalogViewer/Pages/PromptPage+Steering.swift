import ActivationPipeline
import FeatureCatalog
import Indexing
import Steering
import TerminalOutput
import Vocabulary

extension PromptPage {
    /// Characters of the prompt that stand before a continuation.
    private static let shownPrompt = 160

    /// The fields of steering, which belong to the page's form, and the two texts.
    func steeringSection(_ alert: HTML?) -> HTML {
        let operations = EditOperation.allCases.map { operation -> HTML in
            let selected: HTML = operation.rawValue == steering.operation ? " selected" : ""
            return "<option value=\"\(operation.rawValue)\"\(selected)>\(Self.meaning(operation))</option>"
        }
        return """
            <section class="steer" id="steer"><h2>Steer \
            <small>the text goes on, as it is and with a feature changed at every token</small></h2>
            <div class="filter">\
            <label>feature<input name="feature" form="reading" inputmode="numeric" size="7" \
            value="\(exact: steering.feature)" placeholder="0 … \((record?.latentCount ?? 1) - 1)"></label>\
            <label>operation<select name="operation" form="reading">\(operations)</select></label>\
            <label>strength<input name="strength" form="reading" inputmode="decimal" size="7" data-filled="\(exact: suggested)" \
            value="\(exact: steering.strength)"></label>\
            <label>tokens<input name="tokens" form="reading" type="number" min="1" max="\(SteeringChoice.mostTokens)" \
            value="\(exact: steering.tokens)"></label>\
            <label>temperature<input name="temperature" form="reading" inputmode="decimal" size="7" \
            value="\(exact: steering.temperature)" placeholder="likeliest"></label>\
            <label>seed<input name="seed" form="reading" inputmode="numeric" size="5" \
            value="\(exact: steering.seed)"></label>\
            <button form="reading" formaction="/steer#steer">Steer</button></div>
            \(chosen)
            \(alert)
            \(outcome.map(texts))
            </section>
            """
    }

    /// The strength that is filled in unless a person writes another.
    private var suggested: String {
        steered?.maximum.map { Quantities.significant($0) == steering.strength ? steering.strength : "" } ?? ""
    }

    private static func meaning(_ operation: EditOperation) -> HTML {
        switch operation {
        case .set: "set to"
        case .add: "add"
        case .multiply: "multiply by"
        }
    }

    /// What the feature is that is filled in.
    private var chosen: HTML {
        guard let record, let number = steering.number(in: record) else {
            return "<p class=\"fine chosen\">Every feature in the lists has a button that takes it here.</p>"
        }
        let most = steered?.maximum.map { ", at most \(Figure.number($0)) on its corpus" as HTML }
        return """
            <p class="fine chosen"><a href="\(links?.feature(number) ?? .catalog)">Feature \(number)</a> \
            \(steered?.short)\(most)</p>
            """
    }

    private func texts(_ outcome: SteeringRun.Outcome) -> HTML {
        let change = (outcome.promotedChanges.first ?? nil).map {
            """
            <div><dt>its promoted tokens</dt><dd>\($0 > 0 ? "+" : "")\(Figure.number($0)) \
            <small>nats of mean log-probability</small></dd></div>
            """ as HTML
        }
        return """
            <dl class="facts"><div><dt>KL(unsteered ‖ steered)</dt><dd>\(Figure.number(outcome.divergence)) \
            <small>nats a token</small></dd></div>\(change)\
            <div><dt>steered text</dt><dd>\(Figure.count(outcome.tokens.count)) <small>tokens</small></dd></div></dl>
            <div class="columns texts"><section><h3>Unsteered</h3>\(written(outcome.unsteeredText))</section>\
            <section><h3>Steered\(outcome.text == outcome.unsteeredText ? " <small>the same text</small>" : "")</h3>\
            \(written(outcome.text))</section></div>
            \(command.map { "<p class=\"fine\">The same in the terminal:</p><pre>\(lines: $0)</pre>" as HTML })
            """
    }

    /// A continuation, behind the end of its prompt.
    private func written(_ continuation: String) -> HTML {
        let start = text.count > Self.shownPrompt ? "…" + text.suffix(Self.shownPrompt) : text
        return """
            <p class="text" dir="auto"><span class="out">\(lines: start)</span><b>\(lines: continuation)</b></p>
            """
    }
}
