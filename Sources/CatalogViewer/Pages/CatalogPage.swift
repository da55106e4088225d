import FeatureCatalog
import JSON
import TerminalOutput
import Vocabulary

/// What a catalog holds: dictionaries, corpora, models, runs.
struct CatalogPage: Page {
    /// Runs listed, the last ones.
    private static let mostRuns = 50

    private let name: String
    private let identity: CatalogIdentity
    private let dictionaries: [DictionaryRecord]
    private let summaries: [DictionarySummary]
    private let indexings: [IndexingRecord]
    private let corpora: [CorpusRecord]
    private let models: [LanguageModelRecord]
    private let runs: [RunOverview]
    private let runCount: Int
    private let layers: [Int64: [LayerProfile]]
    private let losses: [Int64: LinePlot]

    init(_ visit: Visit) throws {
        let catalog = visit.catalog
        name = visit.site.name
        identity = try catalog.identity()
        dictionaries = try catalog.dictionaries()
        summaries = try catalog.dictionarySummaries()
        indexings = try dictionaries.flatMap { try catalog.indexings(dictionaryID: $0.dictionaryID) }
        corpora = try catalog.corpora()
        models = try catalog.languageModels()
        let records = try catalog.runs()
        runCount = records.count
        runs = try records.suffix(Self.mostRuns).reversed().map { try RunOverview($0, in: catalog) }
        var layers: [Int64: [LayerProfile]] = [:]
        for record in dictionaries {
            if let key = indexings.last(where: { $0.key.dictionaryID == record.dictionaryID })?.key {
                layers[record.dictionaryID] = try catalog.layerProfile(key)
            }
        }
        self.layers = layers
        var losses: [Int64: LinePlot] = [:]
        for run in runs where run.record.kind == .train {
            if let curve = try catalog.runCurve(run.record.runID, name: "loss", stretches: 48) {
                losses[run.record.runID] = LinePlot(curve)
            }
        }
        self.losses = losses
    }

    var title: String { "Catalog" }
    var address: Address { .catalog }
    var path: [(name: String, address: Address)] { [] }
    var section: Shell.Section { .catalog }

    var content: HTML {
        let features = dictionaries.reduce(0) { $0 + $1.latentCount }
        return """
            <h1>\(name)</h1>
            <p class="lead">\(Figure.count(dictionaries.count)) \
            \(dictionaries.count == 1 ? "dictionary" : "dictionaries") \
            of \(Figure.count(features)) features, on \(Figure.count(corpora.count)) \
            \(corpora.count == 1 ? "corpus" : "corpora").</p>
            \(dictionaries.isEmpty ? Self.beginning : dictionaryTable)
            <div class="columns"><section><h2>Text</h2>\(corpusTable)</section>\
            <section><h2>Models</h2>\(modelTable)</section></div>
            <section><h2>Runs</h2>\(runTable)</section>
            <p class="fine">Catalog \(identity.uuid), schema \(identity.schemaVersion), made by \(identity.createdBy) \
            on \
            \(String(identity.createdAt.prefix(10))).</p>
            """
    }

    private static let beginning: HTML = """
        <p class="hint">No dictionary yet. <code>routesae train</code> learns one, <code>routesae import\
        </code> takes one \
        that another program trained.</p>
        """

    private var dictionaryTable: HTML {
        let rows = dictionaries.map { record -> HTML in
            let own = summaries.filter { $0.dictionaryID == record.dictionaryID }
            let last = indexings.last { $0.key.dictionaryID == record.dictionaryID }?.key.corpusID
            let summary = own.first { $0.corpusID == last } ?? own.first
            let shares = Dictionary(
                (layers[record.dictionaryID] ?? []).compactMap { layer in layer.tokenShare.map { (layer.layer, $0) } },
                uniquingKeysWith: { first, _ in first })
            let layers: HTML =
                shares.isEmpty
                ? "\(span(record.layers))" : LayerBars(shares, scale: LayerScale(record.layers)).spark
            return """
                <tr><th scope="row"><a href="\(Address.dictionary(record.dictionaryID))"><bdi>\(record.name)</bdi></a>\
                </th><td>\(record.architecture.rawValue)</td>\
                <td>\(layers)</td>\
                <td class="n"><a href="\(Address.features(record.dictionaryID))">\(Figure.count(record.latentCount))\
                </a></td>\
                <td class="n">\(Figure.count(record.k))</td><td class="n">\(Figure.count(summary?.deadCount))</td>\
                <td class="n">\(Figure.share(summary?.explainedVariance))</td>\
                <td class="n">\(Figure.number(summary?.kl))</td>\
                <td class="n">\(Figure.count(summary?.explainedCount))</td>\
                <td class="n">\(Figure.number(summary?.meanScore)) <small>/ \(Figure.number(summary?.meanChance))\
                </small></td>\
                <td>\(losses[record.runID]?.spark)</td></tr>
                """
        }
        return """
            <section><h2>Dictionaries</h2><div class="scroll"><table class="list"><thead><tr><th>name</th><th>kind</th>\
            <th>tokens by layer</th><th class="n">features</th><th class="n">k</th><th class="n">dead</th>\
            <th class="n"><abbr title="share of the input's variance that the reconstruction explains">explained\
            </abbr></th>\
            <th class="n"><abbr title="KL divergence of the model with reconstructions, nats per token">KL</abbr></th>\
            <th class="n">explanations</th><th class="n">\
            <abbr title="mean simulation score, and that of wrong explanations">score / baseline</abbr></th>\
            <th>loss</th></tr></thead><tbody>\(rows)</tbody></table></div></section>
            """
    }

    private func span(_ layers: [Int]) -> String {
        guard let first = layers.min(), let last = layers.max() else { return "" }
        return first == last ? "\(first)" : "\(first)–\(last)"
    }

    private var corpusTable: HTML {
        let rows = corpora.map { corpus -> HTML in
            let own = indexings.filter { $0.key.corpusID == corpus.corpusID }
            return """
                <tr><th scope="row"><bdi>\(corpus.name)</bdi></th>\
                <td class="n">\(Figure.count(own.map(\.documentCount).max()))</td>\
                <td class="n">\(Figure.count(own.map(\.tokenCount).max()))</td><td class="n">\(own.count)</td></tr>
                """
        }
        return """
            <table class="list"><thead><tr><th>corpus</th><th class="n">documents</th><th class="n">tokens</th>\
            <th class="n">indexes</th></tr></thead><tbody>\(rows)</tbody></table>
            """
    }

    private var modelTable: HTML {
        let rows = models.map { model -> HTML in
            """
            <tr><th scope="row"><bdi>\(model.name)</bdi></th><td>\(model.architecture)</td>\
            <td class="n">\(model.layerCount)</td><td class="n">\(model.dModel)</td>\
            <td class="n">\(Figure.count(model.vocabularySize))</td></tr>
            """
        }
        return """
            <table class="list"><thead><tr><th>model</th><th>family</th><th class="n">layers</th><th class="n">width\
            </th>\
            <th class="n">vocabulary</th></tr></thead><tbody>\(rows)</tbody></table>
            """
    }

    private var runTable: HTML {
        let rows = runs.map { run -> HTML in
            """
            <tr><th scope="row"><a href="\(Address.run(run.record.runID))">\(run.record.runID)</a></th>\
            <td>\(run.record.kind.rawValue)</td>\
            <td class="\(run.record.status.rawValue)">\(run.record.status.rawValue)</td>\
            <td class="when">\(run.start)</td><td class="n">\(run.duration ?? "")</td><td class="wide">\(run.results)\
            </td></tr>
            """
        }
        let more: HTML =
            runCount > runs.count ? "<p class=\"fine\">The last \(runs.count) of \(Figure.count(runCount)).</p>" : ""
        return """
            <div class="scroll"><table class="list"><thead><tr><th>run</th><th>kind</th><th>status</th>\
            <th>started, UTC</th><th class="n">took</th><th>result</th></tr></thead><tbody>\(rows)</tbody></table>\
            </div>\(more)
            """
    }

    var json: JSONValue {
        .object([
            "uuid": .string(identity.uuid), "schema_version": JSONValue(identity.schemaVersion),
            "created_at": .string(identity.createdAt), "created_by": .string(identity.createdBy),
            "dictionaries": .array(
                dictionaries.map { record in
                    .object([
                        "dictionary_id": JSONValue(record.dictionaryID), "name": .string(record.name),
                        "architecture": .string(record.architecture.rawValue),
                        "layers": .array(record.layers.map { JSONValue($0) }),
                        "n_latents": JSONValue(record.latentCount), "k": JSONValue(record.k),
                        "corpora": .array(
                            summaries.filter { $0.dictionaryID == record.dictionaryID }.map(DictionaryPage.json)),
                    ])
                }),
            "corpora": .array(
                corpora.map { .object(["corpus_id": JSONValue($0.corpusID), "name": .string($0.name)]) }),
            "models": .array(
                models.map { .object(["name": .string($0.name), "architecture": .string($0.architecture)]) }),
            "runs": .array(
                runs.map { run in
                    .object([
                        "run_id": JSONValue(run.record.runID), "kind": .string(run.record.kind.rawValue),
                        "status": .string(run.record.status.rawValue), "started_at": .string(run.record.startedAt),
                        "results": .string(run.results),
                    ])
                }),
        ])
    }
}
