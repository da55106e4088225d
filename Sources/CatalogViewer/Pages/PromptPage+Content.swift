import ActivationPipeline
import FeatureCatalog
import Indexing
import TerminalOutput

extension PromptPage {
    var content: HTML {
        guard hasModel else {
            return """
                <h1>Prompt</h1><p class="hint">Start the server with the model to read texts here: \
                <code>\(serving)</code>.</p>
                """
        }
        let options = all.map { other, reference -> HTML in
            let selected: HTML = other.dictionaryID == record?.dictionaryID ? " selected" : ""
            return "<option value=\"\(exact: reference)\"\(selected)>\(other.name)</option>"
        }
        let alert = problem.map { "<p class=\"damaged\" role=\"alert\">\($0.message)</p>" as HTML }
        // A line end right behind the tag is not part of a field's text.
        return """
            <h1>Prompt</h1>
            <form class="prompt" id="reading" method="post" action="/prompt">\
            <input type="hidden" name="token" value="\(formToken)">\
            <label class="hide" for="text">Text</label>\
            <textarea id="text" name="text" rows="4" maxlength="\(PromptService.longest)" \
            placeholder="And Adam begat sons" required>
            \(exact: text)</textarea>\
            <div class="line"><label>dictionary <select name="dictionary">\(options)</select></label><button>Read\
            </button></div></form>
            \(isSteering ? nil : alert)
            \(findings.map(strip))
            \(record == nil ? nil : steeringSection(isSteering ? alert : nil))
            \(findings.map(places))
            """
    }

    private func strip(_ findings: PromptFindings) -> HTML {
        let maximum = findings.maximum
        let strip = findings.places.enumerated().map { number, place -> HTML in
            let style = TokenText.intensity(place.features.first?.activation ?? 0, of: maximum) ?? "none"
            let layer = place.layer.map { scale.style($0) } ?? ""
            return """
                <a href="#t\(number)" class="t \(style)"><span>\(TokenText.shown(place.token))\
                </span>\
                <i class="ly \(layer)">\(place.layer.map { "L\($0)" } ?? "")</i></a>
                """
        }
        return """
            <section><h2>Tokens <small>coloured by their strongest feature; the layer each is read at below</small>\
            </h2>\
            <div class="strip" dir="auto">\(strip)</div></section>
            """
    }

    private func places(_ findings: PromptFindings) -> HTML {
        let places = findings.places.enumerated().map { number, place -> HTML in
            let rows = place.features.map { feature -> HTML in
                let known = findings.names[feature.index]
                return """
                    <li><a href="\(links?.feature(feature.index) ?? .catalog)">\
                    <span class="id">\(feature.index)</span><span>\(known?.short)</span></a>\
                    <span class="n">\(Figure.number(Double(feature.activation)))\
                    \(known?.maximum.map { share($0, feature.activation) })</span>\
                    <button class="pick" form="reading" formaction="/prompt#steer" name="pick" \
                    value="\(feature.index)"\(known?.maximum.map { most($0) })>steer</button></li>
                    """
            }
            return """
                <section class="place" id="t\(number)"><h3>\(TokenText.alone(place.token)) \(scale.badge(place.layer)) \
                <small>token \(place.position)\(place.routerWeight.map { ", router \(Figure.share($0))" as HTML }), \
                \(place.firingCount) features fire</small></h3><ol class="features tight">\(rows)</ol></section>
                """
        }
        return "<section class=\"places\"><h2>Features</h2>\(places)</section>"
    }

    private func share(_ maximum: Double, _ activation: Float) -> HTML {
        maximum > 0 ? " <small class=\"dim\">\(Figure.share(Double(activation) / maximum))</small>" : ""
    }

    /// The strength that a picked feature suggests.
    private func most(_ maximum: Double) -> HTML { " data-most=\"\(Quantities.significant(maximum))\"" }
}
