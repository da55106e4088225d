import ActivationPipeline
import FeatureCatalog
import JSON
import TerminalOutput
import Vocabulary

/// Dictionaries side by side, each on each of its corpora.
struct ComparePage: Page {
    /// Dictionaries beside each other.
    private static let most = 8

    /// A dictionary on a corpus.
    private struct Column {
        let record: DictionaryRecord
        let link: Address
        let summary: DictionarySummary
        let corpus: String?
        let count: Part<InterpretableCount?>
        let evaluations: [String: EvaluationRecord]
        let layers: [Int: Double]
    }

    private let columns: [Column]
    private let all: [(record: DictionaryRecord, reference: String)]
    private let chosen: [DictionaryRecord]
    private let pareto: Part<Drawing?>
    private let matched: Part<MatchedFeatures>?
    private let canMatch: Bool
    /// The choice in the address: dictionaries, and whether their features are matched.
    private let fields: [(name: String, value: String)]

    init(_ visit: Visit) throws {
        let catalog = visit.catalog
        all = visit.dictionaries.map { ($0, visit.reference(to: $0)) }
        let wanted = Set(
            try visit.query.values("d").prefix(Self.most).map {
                try StoredDictionary.record(named: $0, in: catalog).dictionaryID
            })
        let shown = visit.dictionaries.filter { wanted.isEmpty || wanted.contains($0.dictionaryID) }.suffix(Self.most)
            .map(\.self)
        chosen = shown
        var fields = shown.map { (name: "d", value: visit.reference(to: $0)) }
        for name in ["match", "farthest"] where visit.query[name] != nil { fields.append((name, "1")) }
        self.fields = fields
        let corpora = try catalog.corpora()
        let names = Set(shown.map(\.name))
        pareto = Part {
            let points = try ParetoPlot.points(in: catalog).filter { names.contains($0.name) }
            return points.count > 1 ? ParetoPlot(points)?.plot : nil
        }
        canMatch = shown.count == 2 && MatchedFeatures.isQuick(shown[0], shown[1])
        matched =
            shown.count == 2 && visit.query["match"] != nil
            ? Part { try MatchedFeatures(shown[0], shown[1], visit) } : nil
        columns = try shown.flatMap { record in
            let evaluations = try catalog.evaluations(dictionaryID: record.dictionaryID)
            return try catalog.dictionarySummaries(dictionaryID: record.dictionaryID).map { summary in
                let key = summary.corpusID.map { IndexingKey(dictionaryID: record.dictionaryID, corpusID: $0) }
                let own = evaluations.filter { $0.layer == nil && $0.corpusID == summary.corpusID }
                let links = try visit.links(to: record)
                let link = (links.corpus == nil ? nil : summary.corpusID).map { links.on(corpus: $0) } ?? links
                return Column(
                    record: record, link: link.dictionary, summary: summary,
                    corpus: corpora.first { $0.corpusID == summary.corpusID }?.name,
                    count: Part { try key.map { try catalog.countInterpretable($0) } },
                    evaluations: Dictionary(own.map { ($0.metric, $0) }, uniquingKeysWith: { _, last in last }),
                    layers: Dictionary(
                        try key.map { try catalog.layerProfile($0) }?.compactMap { layer in
                            layer.tokenShare.map { (layer.layer, $0) }
                        } ?? [], uniquingKeysWith: { first, _ in first }))
            }
        }
    }

    var title: String { "Compare" }
    var address: Address { Address(["compare"], fields) }
    var section: Shell.Section { .compare }

    var content: HTML {
        let boxes = all.suffix(200).map { record, reference -> HTML in
            let checked: HTML = chosen.contains { $0.dictionaryID == record.dictionaryID } ? " checked" : ""
            return """
                <label class="check"><input type="checkbox" name="d" value="\(exact: reference)"\(checked)> \
                <bdi>\(record.name)</bdi></label>
                """
        }
        let form: HTML =
            all.count < 2 ? "" : "<form class=\"filter\" method=\"get\">\(boxes)<button>Compare</button></form>"
        let alone: HTML =
            all.count == 1
            ? """
            <p class="hint">This catalog has one dictionary. <code>routesae train</code> and <code>routesae import\
            </code> add others to compare it with.</p>
            """ : ""
        return """
            <h1>Compare</h1>
            \(form)
            \(columns.isEmpty ? "<p class=\"hint\">There is no dictionary yet.</p>" : table)\(alone)
            \(pareto.drawn { $0.map { "<section><h2>KL against L0</h2>\($0.inline)</section>" } ?? "" })
            \(matched?.drawn { $0.drawn } ?? (canMatch ? offer : ""))
            """
    }

    private var offer: HTML {
        """
        <p class="go"><a class="button" href="\(address.with("match", "1"))">Match their features</a> \
        <a href="\(address.with("match", "1").with("farthest", "1"))">those without a match first</a></p>
        """
    }

    /// A row: its name, and a value for each column.
    private func row(_ name: String, _ value: (Column) -> HTML) -> HTML {
        let cells = columns.map { "<td class=\"n\">\(value($0))</td>" as HTML }
        return "<tr><th scope=\"row\">\(name)</th>\(cells)</tr>"
    }

    private func figure(_ name: String, _ metric: String) -> HTML {
        guard columns.contains(where: { $0.evaluations[metric] != nil }) else { return "" }
        return row(name) { column in
            let figure = column.evaluations[metric]
            return Figure.interval(figure?.value, figure?.low, figure?.high)
        }
    }

    private var table: HTML {
        let heads = columns.map { column -> HTML in
            """
            <th scope="col" class="n"><a href="\(column.link)">\
            <bdi>\(column.record.name)</bdi></a>\
            <small><bdi>\(column.corpus ?? "no index")</bdi></small></th>
            """
        }
        let rows = [
            row("kind") { "\($0.record.architecture.rawValue)" },
            row("features") { Figure.count($0.record.latentCount) },
            row("k") { Figure.count($0.record.k) },
            row("tokens by layer") { LayerBars($0.layers, scale: LayerScale($0.record.layers)).spark },
            row("training loss") { Figure.number($0.summary.finalLoss) },
            row("explained variance") { Figure.share($0.summary.explainedVariance) },
            figure("normalized error", "norm_mse"), figure("L0", "l0"), figure("KL, nats a token", "kl"),
            figure("change of cross-entropy", "delta_ce"), figure("loss recovered", "recovered"),
            figure("entropy of routing", "routing_entropy"), figure("coverage of all layers", "coverage"),
            figure("census", "census"),
            row("alive") { Figure.count($0.summary.aliveCount) },
            row("dead") { Figure.count($0.summary.deadCount) },
            row("layer entropy of features") { Figure.number($0.summary.meanLayerEntropy) },
            row("interpretable") { column in
                column.count.drawn { count in
                    "\(Figure.count(count?.withClassRule)) <small>above \(Figure.number(count?.threshold))</small>"
                }
            },
            row("explanations") { Figure.count($0.summary.explainedCount) },
            row("mean simulation score") { Figure.number($0.summary.meanScore) },
            row("baseline") { Figure.number($0.summary.meanChance) },
        ]
        let hasIntervals = columns.contains { $0.evaluations.values.contains { $0.low != nil } }
        return """
            <div class="scroll"><table class="list compare"><thead><tr><td></td>\(heads)</tr></thead><tbody>\(rows)\
            </tbody></table></div>
            \(hasIntervals ? "<p class=\"fine\">Intervals are 95 %.</p>" : "")
            """
    }

    var json: JSONValue {
        get throws {
            let dictionaries = columns.map { column -> JSONValue in
                .object([
                    "dictionary_id": JSONValue(column.record.dictionaryID), "name": .string(column.record.name),
                    "corpus": JSONValue(column.corpus), "summary": DictionaryPage.json(column.summary),
                    "evaluations": .array(
                        column.evaluations.values.sorted { $0.metric < $1.metric }.map(Self.json)),
                ])
            }
            return .object([
                "dictionaries": .array(dictionaries), "matched": try matched?.get().json ?? .null,
            ])
        }
    }

    /// A figure as an object.
    static func json(_ figure: EvaluationRecord) -> JSONValue {
        .object([
            "run_id": JSONValue(figure.runID), "metric": .string(figure.metric), "layer": JSONValue(figure.layer),
            "value": JSONValue(figure.value), "low": JSONValue(figure.low), "high": JSONValue(figure.high),
            "n_tokens": JSONValue(figure.tokenCount),
        ])
    }
}
