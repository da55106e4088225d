import ActivationPipeline
import FeatureCatalog
import Indexing
import JSON
import TerminalOutput

/// A text typed in: what fires on each of its tokens.
struct PromptPage: Page {
    /// Features of each token.
    private static let top = 8

    private let record: DictionaryRecord?
    private let links: DictionaryLinks?
    private let all: [(record: DictionaryRecord, reference: String)]
    private let text: String
    private let findings: PromptFindings?
    let problem: ViewerProblem?
    private let hasModel: Bool
    private let formToken: String
    private let command: String

    init(_ visit: Visit) throws {
        all = visit.dictionaries.map { ($0, visit.reference(to: $0)) }
        hasModel = visit.site.prompts != nil
        formToken = visit.site.formToken
        command = visit.site.spelling("routesae serve CATALOG `model` DIR")
        let form = visit.request.form
        let named = form["dictionary"] ?? visit.query["dictionary"]
        let record = try named.map { try StoredDictionary.record(named: $0, in: visit.catalog) } ?? all.last?.record
        self.record = record
        links = try record.map { try visit.links(to: $0) }
        text = form["text"] ?? visit.query["text"].map { String($0.prefix(PromptService.longest)) } ?? ""
        guard visit.request.method == .post else {
            (findings, problem) = (nil, nil)
            return
        }
        do {
            findings = try Self.findings(on: text, record, visit)
            problem = nil
        } catch {
            let found = ViewerProblem(error)
            guard found.status < 500 || found.status == 503 else { throw found }
            (findings, problem) = (nil, found)
        }
    }

    private static func findings(on text: String, _ record: DictionaryRecord?, _ visit: Visit) throws -> PromptFindings
    {
        guard let prompts = visit.site.prompts else {
            throw ViewerProblem(403, "the server was started without a model")
        }
        guard let record else { throw ViewerProblem(404, "there is no dictionary yet") }
        guard !text.isEmpty else { throw ViewerProblem(400, "the prompt is empty") }
        let firings = try prompts.firings(on: text, record, in: visit.catalog, stamp: visit.stamp)
        return try PromptFindings(record, firings: firings, top: top, among: nil, in: visit.catalog)
    }

    var title: String { "Prompt" }
    var address: Address { links?.prompt ?? Address(["prompt"]) }
    var hasData: Bool { false }
    var section: Shell.Section { .prompt }
    var dictionaryID: Int64? { record?.dictionaryID }
    private var scale: LayerScale { LayerScale(record?.layers ?? []) }

    var content: HTML {
        guard hasModel else {
            return """
                <h1>Prompt</h1><p class="hint">Start the server with the model to read texts here: \
                <code>\(command)</code>.</p>
                """
        }
        let options = all.map { other, reference -> HTML in
            let selected: HTML = other.dictionaryID == record?.dictionaryID ? " selected" : ""
            return "<option value=\"\(exact: reference)\"\(selected)>\(other.name)</option>"
        }
        return """
            <h1>Prompt</h1>
            <form class="prompt" method="post" action="/prompt"><input type="hidden" name="token" value="\(formToken)">\
            <label class="hide" for="text">Text</label>\
            <textarea id="text" name="text" rows="4" maxlength="\(PromptService.longest)" \
            placeholder="And Adam begat sons" required>\(exact: text)</textarea>\
            <div class="line"><label>dictionary <select name="dictionary">\(options)</select></label><button>Read\
            </button></div></form>
            \(problem.map { "<p class=\"damaged\" role=\"alert\">\($0.message)</p>" as HTML })
            \(findings.map(drawn))
            """
    }

    private func drawn(_ findings: PromptFindings) -> HTML {
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
        let places = findings.places.enumerated().map { number, place -> HTML in
            let rows = place.features.map { feature -> HTML in
                let known = findings.names[feature.index]
                return """
                    <li><a href="\(links?.feature(feature.index) ?? .catalog)">\
                    <span class="id">\(feature.index)</span><span>\(known?.short)</span></a>\
                    <span class="n">\(Figure.number(Double(feature.activation)))\
                    \(known?.maximum.map { share($0, feature.activation) })</span></li>
                    """
            }
            return """
                <section class="place" id="t\(number)"><h3>\(TokenText.alone(place.token)) \(scale.badge(place.layer)) \
                <small>token \(place.position)\(place.routerWeight.map { ", router \(Figure.share($0))" as HTML }), \
                \(place.firingCount) features fire</small></h3><ol class="features tight">\(rows)</ol></section>
                """
        }
        return """
            <section><h2>Tokens <small>coloured by their strongest feature; the layer each is read at below</small>\
            </h2>\
            <div class="strip" dir="auto">\(strip)</div></section>
            <section class="places"><h2>Features</h2>\(places)</section>
            """
    }

    private func share(_ maximum: Double, _ activation: Float) -> HTML {
        maximum > 0 ? " <small class=\"dim\">\(Figure.share(Double(activation) / maximum))</small>" : ""
    }

    var json: JSONValue {
        .object([
            "dictionary": JSONValue(record?.name), "text": .string(text), "rows": findings?.json ?? .array([]),
        ])
    }
}
