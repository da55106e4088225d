import FeatureCatalog
import JSON
import TerminalOutput
import Vocabulary

/// What a catalog holds: dictionaries, corpora, models, runs.
struct CatalogPage: Page {
    /// Runs, dictionaries, corpora and models listed, the last ones.
    private static let most = 50

    /// A dictionary in the list.
    private struct Entry {
        let record: DictionaryRecord
        let links: DictionaryLinks
        let summaries: [DictionarySummary]
        let indexings: [IndexingRecord]
        let layers: [LayerProfile]
        let loss: LinePlot?

        init(_ record: DictionaryRecord, _ visit: Visit) throws {
            let catalog = visit.catalog
            self.record = record
            links = try visit.links(to: record)
            summaries = try catalog.dictionarySummaries(dictionaryID: record.dictionaryID)
            indexings = try catalog.indexings(dictionaryID: record.dictionaryID)
            layers = try indexings.last.map { try catalog.layerProfile($0.key) } ?? []
            loss = try catalog.runCurve(record.runID, name: "loss", stretches: 48).flatMap(LinePlot.init)
        }

        /// Its figures on the corpus indexed last.
        var summary: DictionarySummary? {
            summaries.first { $0.corpusID == indexings.last?.key.corpusID } ?? summaries.first
        }
    }

    private let name: String
    private let identity: CatalogIdentity
    /// How many dictionaries there are, and the features of all.
    private let all: (dictionaries: Int, features: Int)
    private let dictionaries: [(record: DictionaryRecord, entry: Part<Entry>)]
    private let corpora: Part<[CorpusRecord]>
    private let models: Part<[LanguageModelRecord]>
    private let runs: Part<(last: [RunOverview], count: Int)>

    init(_ visit: Visit) throws {
        let catalog = visit.catalog
        name = visit.site.name
        identity = try catalog.identity()
        all = (visit.dictionaries.count, visit.dictionaries.reduce(0) { $0 + $1.latentCount })
        dictionaries = visit.dictionaries.suffix(Self.most).map { record in
            (record, Part { try Entry(record, visit) })
        }
        corpora = Part { try catalog.corpora() }
        models = Part { try catalog.languageModels() }
        runs = Part {
            let records = try catalog.runs()
            return (
                try records.suffix(Self.most).reversed().map { try RunOverview($0, in: catalog, number: visit.number) },
                records.count
            )
        }
    }

    var title: String { "Catalog" }
    var address: Address { .catalog }
    var path: [(name: String, address: Address)] { [] }
    var section: Shell.Section { .catalog }

    var content: HTML {
        """
        <h1>\(name)</h1>
        <p class="lead">\(Figure.count(all.dictionaries)) \
        \(all.dictionaries == 1 ? "dictionary" : "dictionaries") of \(Figure.count(all.features)) features.</p>
        \(dictionaries.isEmpty ? Self.beginning : dictionaryTable)
        <div class="columns"><section><h2>Text</h2>\(corpora.drawn(corpusTable))</section>\
        <section><h2>Models</h2>\(models.drawn(modelTable))</section></div>
        <section><h2>Runs</h2>\(runs.drawn { runTable($0.last, of: $0.count) })</section>
        <p class="fine">Catalog \(identity.uuid), schema \(identity.schemaVersion), made by \(identity.createdBy) on \
        \(String(identity.createdAt.prefix(10))).</p>
        """
    }

    private static let beginning: HTML = """
        <p class="hint">No dictionary yet. <code>routesae train</code> learns one, <code>routesae import\
        </code> takes one \
        that another program trained.</p>
        """

    private var dictionaryTable: HTML {
        let rows = dictionaries.map { record, entry -> HTML in
            switch entry {
            case .read(let entry): row(entry)
            case .damaged:
                """
                <tr><th scope="row"><bdi>\(record.name)</bdi></th><td colspan="10">\(entry.drawn { _ in "" })</td></tr>
                """
            }
        }
        return """
            <section><h2>Dictionaries</h2><div class="scroll"><table class="list"><thead><tr><th>name</th><th>kind</th>\
            <th>tokens by layer</th><th class="n">features</th><th class="n">k</th><th class="n">dead</th>\
            <th class="n"><abbr title="share of the input's variance that the reconstruction explains">explained\
            </abbr></th>\
            <th class="n"><abbr title="KL divergence of the model with reconstructions, nats per token">KL</abbr></th>\
            <th class="n">explanations</th><th class="n">\
            <abbr title="mean simulation score, and that of wrong explanations">score / baseline</abbr></th>\
            <th>loss</th></tr></thead><tbody>\(rows)</tbody></table></div>\
            \(more(dictionaries.count, of: all.dictionaries))</section>
            """
    }

    private func row(_ entry: Entry) -> HTML {
        let (record, summary) = (entry.record, entry.summary)
        let shares = Dictionary(
            entry.layers.compactMap { layer in layer.tokenShare.map { (layer.layer, $0) } },
            uniquingKeysWith: { first, _ in first })
        let layers: HTML =
            shares.isEmpty
            ? "\(LayerSpan.text(of: record.layers, dash: "–", separator: ", "))"
            : LayerBars(shares, scale: LayerScale(record.layers)).spark
        return """
            <tr><th scope="row"><a href="\(entry.links.dictionary)"><bdi>\(record.name)</bdi></a>\
            </th><td>\(record.architecture.rawValue)</td>\
            <td>\(layers)</td>\
            <td class="n"><a href="\(entry.links.features())">\(Figure.count(record.latentCount))\
            </a></td>\
            <td class="n">\(Figure.count(record.k))</td><td class="n">\(Figure.count(summary?.deadCount))</td>\
            <td class="n">\(Figure.share(summary?.explainedVariance))</td>\
            <td class="n">\(Figure.number(summary?.kl))</td>\
            <td class="n">\(Figure.count(summary?.explainedCount))</td>\
            <td class="n">\(Figure.number(summary?.meanScore)) <small>/ \(Figure.number(summary?.meanChance))\
            </small></td>\
            <td>\(entry.loss?.spark)</td></tr>
            """
    }

    /// What was left out of a list.
    private func more(_ shown: Int, of count: Int) -> HTML {
        count > shown ? "<p class=\"fine\">The last \(shown) of \(Figure.count(count)).</p>" : ""
    }

    private func corpusTable(_ corpora: [CorpusRecord]) -> HTML {
        let indexings = dictionaries.flatMap { $0.entry.value?.indexings ?? [] }
        let rows = corpora.suffix(Self.most).map { corpus -> HTML in
            let own = indexings.filter { $0.key.corpusID == corpus.corpusID }
            return """
                <tr><th scope="row"><bdi>\(corpus.name)</bdi></th>\
                <td class="n">\(Figure.count(own.map(\.documentCount).max()))</td>\
                <td class="n">\(Figure.count(own.map(\.tokenCount).max()))</td><td class="n">\(own.count)</td></tr>
                """
        }
        return """
            <table class="list"><thead><tr><th>corpus</th><th class="n">documents</th><th class="n">tokens</th>\
            <th class="n">indexes</th></tr></thead><tbody>\(rows)</tbody></table>\(more(rows.count, of: corpora.count))
            """
    }

    private func modelTable(_ models: [LanguageModelRecord]) -> HTML {
        let rows = models.suffix(Self.most).map { model -> HTML in
            """
            <tr><th scope="row"><bdi>\(model.name)</bdi></th><td>\(model.architecture)</td>\
            <td class="n">\(model.layerCount)</td><td class="n">\(model.dModel)</td>\
            <td class="n">\(Figure.count(model.vocabularySize))</td></tr>
            """
        }
        return """
            <table class="list"><thead><tr><th>model</th><th>family</th><th class="n">layers</th><th class="n">width\
            </th>\
            <th class="n">vocabulary</th></tr></thead><tbody>\(rows)</tbody></table>\
            \(more(rows.count, of: models.count))
            """
    }

    private func runTable(_ runs: [RunOverview], of count: Int) -> HTML {
        let rows = runs.map { run -> HTML in
            """
            <tr><th scope="row"><a href="\(Address.run(run.record.runID))">\(run.record.runID)</a></th>\
            <td>\(run.record.kind.rawValue)</td>\
            <td class="\(run.record.status.rawValue)">\(run.record.status.rawValue)</td>\
            <td class="when">\(run.start)</td><td class="n">\(run.duration ?? "")</td><td class="wide">\(run.results)\
            </td></tr>
            """
        }
        return """
            <div class="scroll"><table class="list"><thead><tr><th>run</th><th>kind</th><th>status</th>\
            <th>started, UTC</th><th class="n">took</th><th>result</th></tr></thead><tbody>\(rows)</tbody></table>\
            </div>\(more(rows.count, of: count))
            """
    }

    var json: JSONValue {
        get throws {
            .object([
                "uuid": .string(identity.uuid), "schema_version": JSONValue(identity.schemaVersion),
                "created_at": .string(identity.createdAt), "created_by": .string(identity.createdBy),
                "n_dictionaries": JSONValue(all.dictionaries),
                "dictionaries": .array(try dictionaries.map { try Self.json(of: $0.entry.get()) }),
                "corpora": .array(
                    try corpora.get().map {
                        .object(["corpus_id": JSONValue($0.corpusID), "name": .string($0.name)])
                    }),
                "models": .array(
                    try models.get().map {
                        .object(["name": .string($0.name), "architecture": .string($0.architecture)])
                    }),
                "runs": .array(
                    try runs.get().last.map { run in
                        .object([
                            "run_id": JSONValue(run.record.runID), "kind": .string(run.record.kind.rawValue),
                            "status": .string(run.record.status.rawValue),
                            "started_at": .string(run.record.startedAt), "results": .string(run.results),
                        ])
                    }),
            ])
        }
    }

    private static func json(of entry: Entry) -> JSONValue {
        let record = entry.record
        return .object([
            "dictionary_id": JSONValue(record.dictionaryID), "name": .string(record.name),
            "architecture": .string(record.architecture.rawValue),
            "layers": .array(record.layers.map { JSONValue($0) }), "n_latents": JSONValue(record.latentCount),
            "k": JSONValue(record.k), "corpora": .array(entry.summaries.map(DictionaryPage.json)),
        ])
    }
}
