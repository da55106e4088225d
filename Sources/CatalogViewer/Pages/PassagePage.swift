import ActivationPipeline
import FeatureCatalog
import JSON
import TerminalOutput
import Vocabulary

/// A whole passage with one of a feature's contexts in it.
struct PassagePage: Page {
    private let record: DictionaryRecord
    private let links: DictionaryLinks
    private let number: Int
    private let context: ContextText
    private let maximum: Float
    private let corpus: String

    init(_ visit: Visit) throws {
        record = try visit.dictionary()
        links = try visit.links(to: record)
        number = try visit.feature(of: record)
        guard let index = try visit.index(of: record), let band = ContextBand(rawValue: visit.request.path[5]),
            let rank = Int(digits: visit.request.path[6]), (0..<1 << 14).contains(rank)
        else { throw ViewerProblem(404, "there is no context of this name") }
        let found = try visit.catalog.contextTexts(
            index.key, featureIndex: number, band: band, limit: 1, offset: rank, isWhole: true)
        guard let context = found.first else { throw ViewerProblem(404, "there is no context of this name") }
        self.context = context
        maximum = try visit.catalog.feature(index.key, featureIndex: number).maxActivation ?? 0
        corpus = index.corpus
    }

    var title: String { "Passage of feature \(number)" }
    var address: Address { links.context(number, context.band, context.rank) }
    var path: [(name: String, address: Address)] {
        [
            ("Catalog", .catalog), (record.name, links.dictionary),
            ("Features", links.features()),
            ("Feature \(number)", links.feature(number)),
        ]
    }
    var section: Shell.Section { .features }
    var dictionaryID: Int64? { record.dictionaryID }

    var content: HTML {
        let place = context.title.map { "<bdi>\($0)</bdi>, " as HTML }
        return """
            <h1>Passage <span class="of">\(context.band.rawValue) context \(context.rank) of feature \(number)</span>\
            </h1>
            <p class="lead">\(place)document \(Figure.count(context.ordinal)) of <bdi>\(corpus)</bdi>, token \
            \(Figure.count(context.tokenPosition)): activation \(Figure.number(Double(context.activation))) at \
            \(LayerScale(record.layers).badge(context.layer))\
            \(context.routerWeight.map { ", router \(Figure.number(Double($0)))" as HTML }).</p>
            <div class="passage">\(ContextRow(context, maximum: maximum).text())</div>
            <p class="fine">The context is the stretch in full ink; activations outside of it are not kept.</p>
            """
    }

    var json: JSONValue {
        .object([
            "feature_index": JSONValue(number), "band": .string(context.band.rawValue),
            "rank": JSONValue(context.rank), "layer": JSONValue(context.layer),
            "activation": JSONValue(context.activation), "passage_id": JSONValue(context.passageID),
            "document_id": JSONValue(context.documentID), "token_position": JSONValue(context.tokenPosition),
            "tokens": .array(context.tokens.map { .string($0) }),
            "window_start": JSONValue(context.window.lowerBound),
            "activations": .array(context.activations.map { JSONValue($0) }),
        ])
    }
}
