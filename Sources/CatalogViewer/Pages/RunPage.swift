import FeatureCatalog
import Foundation
import JSON
import TerminalOutput

/// One run: settings, inputs, curves, results.
struct RunPage: Page {
    /// Stretches of a curve.
    private static let stretches = 240
    /// Curves drawn large; the others are a line of a table.
    private static let large: Set = ["loss", "explained_variance"]
    /// Characters of the configuration shown.
    private static let mostCharacters = 40_000

    private let report: RunReport
    private let curves: [RunCurve]
    private let again: String
    private let dictionaries: [(record: DictionaryRecord, link: Address)]
    private let spelling: @Sendable (String) -> String

    init(_ visit: Visit) throws {
        guard let runID = Int64(digits: visit.request.path[1]) else {
            throw ViewerProblem(404, "a run is named by its number")
        }
        report = try RunReport(runID, in: visit.catalog, number: visit.number)
        curves = try report.metrics.compactMap { curve in
            guard Self.large.contains(curve.name) else { return curve }
            return try visit.catalog.runCurve(runID, name: curve.name, stretches: Self.stretches)
        }
        again = "routesae reproduce \(ShellWord.quoted(visit.site.name)) \(runID)"
        dictionaries = try visit.dictionaries.filter { $0.runID == runID }
            .map { ($0, try visit.links(to: $0).dictionary) }
        spelling = visit.site.spelling
    }

    private var run: RunRecord { report.overview.record }
    var title: String { "Run \(run.runID)" }
    var address: Address { .run(run.runID) }
    var section: Shell.Section { .none }
    var dictionaryID: Int64? { dictionaries.last?.record.dictionaryID }

    var content: HTML {
        """
        <h1>Run \(run.runID) <span class="of">\(run.kind.rawValue)</span></h1>
        <p class="lead"><span class="\(run.status.rawValue)">\(run.status.rawValue)\
        </span>\(report.overview.results.isEmpty ? "" : ": ")\
        <bdi>\(report.overview.results)</bdi></p>
        \(run.error.map { "<p class=\"damaged\">\(spelling($0))</p>" as HTML })
        <dl class="facts"><div><dt>started, UTC</dt><dd>\(report.overview.start)</dd></div>\
        <div><dt>took</dt><dd>\(report.overview.duration ?? "–")</dd></div>\
        <div><dt>seed</dt><dd>\(run.seed.map { "\($0)" } ?? "none")</dd></div>\
        <div><dt>software</dt><dd>\(run.software.version)</dd></div>\
        <div><dt>machine</dt><dd>\(run.host)</dd></div></dl>
        \(made)\(plots)
        <div class="columns"><div>\(curveSection)</div><div>\(configSection)\(inputSection)</div></div>
        <section><h2>Reproduce</h2><p>Repeats it and compares the results bit by bit:</p>\
        <pre>\(again)</pre></section>
        """
    }

    private var made: HTML {
        guard !dictionaries.isEmpty else { return "" }
        let links = dictionaries.map {
            "<li><a href=\"\($0.link)\"><bdi>\($0.record.name)</bdi></a></li>" as HTML
        }
        return "<section><h2>Dictionaries it made</h2><ul>\(links)</ul></section>"
    }

    private var plots: HTML {
        let plots = curves.filter { Self.large.contains($0.name) }.compactMap { curve -> HTML? in
            LinePlot(curve).map {
                "<figure><figcaption>\(curve.name.replacing("_", with: " "))</figcaption>\($0.plot?.inline)</figure>"
            }
        }
        return plots.isEmpty ? "" : "<section><h2>Curves</h2><div class=\"columns\">\(plots)</div></section>"
    }

    private var curveSection: HTML {
        guard !curves.isEmpty else { return "" }
        // Layer 3 before layer 10.
        let inOrder = curves.sorted { $0.name.compare($1.name, options: .numeric) == .orderedAscending }
        let rows = inOrder.prefix(200).map { curve -> HTML in
            """
            <tr><th scope="row">\(curve.name)</th><td class="n">\(Figure.count(curve.count))</td>\
            <td class="n">\(Figure.number(curve.first))</td><td class="n">\(Figure.number(curve.last))</td>\
            <td>\(LinePlot(curve)?.spark)</td></tr>
            """
        }
        return """
            <section><h2>Metrics</h2><div class="scroll"><table class="list fit"><thead><tr><th>metric</th>\
            <th class="n">points</th><th class="n">first</th><th class="n">last</th><th>curve</th></tr></thead>\
            <tbody>\(rows)</tbody></table></div></section>
            """
    }

    private var inputSection: HTML {
        guard !report.inputs.isEmpty else { return "" }
        let rows = report.inputs.prefix(200).map { input -> HTML in
            """
            <tr><td>\(input.role)</td><th scope="row"><bdi>\(input.name)</bdi></th>\
            <td class="n">\(Quantities.bytes(input.bytes))</td>\
            <td class="hash" title="SHA-256 \(input.sha256)">\(String(input.sha256.prefix(12)))…</td></tr>
            """
        }
        return """
            <section><h2>Inputs</h2><div class="scroll"><table class="list fit"><thead><tr><th>role</th><th>file</th>\
            <th class="n">size</th>\
            <th>SHA-256</th></tr></thead><tbody>\(rows)</tbody></table></div></section>
            """
    }

    private var configSection: HTML {
        let text = report.config.document(onOneLine: false)
        let shown = text.count > Self.mostCharacters ? text.prefix(Self.mostCharacters) + "…" : text
        return "<section><h2>Settings</h2><pre class=\"tall\">\(lines: shown)</pre></section>"
    }

    var json: JSONValue { report.json(spelling: spelling) }
}
