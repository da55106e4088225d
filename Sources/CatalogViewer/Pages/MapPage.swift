import ActivationPipeline
import FeatureCatalog
import Foundation
import JSON
import TerminalOutput

/// All features of a dictionary in a plane: a drawing, which a script replaces by one to move in.
struct MapPage: Page {
    private let record: DictionaryRecord
    private let index: IndexedDictionary
    private let map: FeatureMap
    private let links: DictionaryLinks

    init(_ visit: Visit) throws {
        record = try visit.dictionary()
        guard let index = try visit.index(of: record) else {
            throw ViewerProblem(404, "dictionary \"\(record.name)\" has no statistics yet; run 'routesae index' first")
        }
        self.index = index
        links = try visit.links(to: record)
        map = try visit.site.cache.map(
            of: index, in: visit.catalog, stamp: visit.stamp, workers: visit.site.workers)
    }

    var title: String { "Map of \(record.name)" }
    var address: Address { links.map }
    var path: [(name: String, address: Address)] {
        [("Catalog", .catalog), (record.name, links.dictionary)]
    }
    var section: Shell.Section { .features }
    var dictionaryID: Int64? { record.dictionaryID }

    var content: HTML {
        """
        <h1>Map <span class="of"><bdi>\(record.name)</bdi></span></h1>
        <p class="lead">\(Figure.count(map.points.count)) features; those whose decoder vectors are similar lie near each \
        other. \(colours)The larger a point, the more often its feature fires.\(missing)</p>
        <div class="map" data-json="\(address.json)" data-feature="\(links.feature(0))">\
        <div class="view">\(map.plot(of: map.sample).inline)\(sampled)</div>
        <div class="beside"><form class="line" action="\(links.features())" role="search">\
        <label class="hide" for="lit">Find features on the map</label>\
        <input id="lit" name="q" type="search" placeholder="Number or word" autocomplete="off">\
        <button>Find</button></form>
        <div class="found" aria-live="polite"></div>
        <section class="strongest"><h2>Strongest features</h2><ol class="features tight">\(strongest)</ol></section>\
        </div></div>
        <script src="\(Assets.map)" defer></script>
        """
    }

    private var colours: HTML {
        map.scale == nil ? "" : "Colour says in which layer a feature fires most. "
    }

    private var missing: HTML {
        let rest = map.featureCount - map.points.count
        guard rest > 0 else { return "" }
        return """
             \(Figure.count(rest)) others have no place: \(map.points.count == FeatureMap.most
            ? "the map shows those that fire most often" : "they have no neighbour").
            """
    }

    private var sampled: HTML {
        guard map.points.count > map.sample.count else { return "" }
        return """
            <noscript><p class="fine">The drawing has \(Figure.count(map.sample.count)) of them; with JavaScript all \
            are there.</p></noscript>
            """
    }

    private var strongest: [HTML] {
        map.strongest.map { point in
            """
            <li><a href="\(links.feature(point.feature))">\
            <span class="id">\(point.feature)</span><span>\(Self.name(point))</span></a>\
            <span class="n">\(Figure.number(point.maximum))</span></li>
            """
        }
    }

    private static func name(_ point: FeatureMap.Point) -> HTML {
        point.isExplained
            ? "<bdi>\(point.name)</bdi>"
            : point.maximum == 0
                ? "<span class=\"none\">never fires</span>"
                : "<span class=\"dim\">fires on</span> \(TokenText.alone(point.name))"
    }

    /// The points by columns, each as long as the others. Of numbers that are no counts it has four digits, as the page
    /// says them with fewer: all digits would be most of its bytes.
    var json: JSONValue {
        func column(_ value: (FeatureMap.Point) -> JSONValue) -> JSONValue { .array(map.points.map(value)) }
        return .object([
            "dictionary_id": JSONValue(record.dictionaryID), "name": .string(record.name),
            "corpus": .string(index.corpus), "n_latents": JSONValue(map.featureCount),
            "layers": .array(map.layers.map { JSONValue($0) }), "side": JSONValue(FeatureMap.side),
            "styles": .array(map.layers.map { .string(map.scale?.style($0) ?? "one") }),
            "feature_index": column { JSONValue($0.feature) }, "x": column { JSONValue($0.x) },
            "y": column { JSONValue($0.y) }, "peak_layer": column { JSONValue($0.layer) },
            "firing_rate": column { JSONValue(Self.brief($0.rate)) },
            "max_activation": column { JSONValue(Self.brief($0.maximum)) }, "size": column { JSONValue($0.size) },
            "is_explained": column { JSONValue($0.isExplained ? 1 : 0) }, "label": column { .string($0.name) },
        ])
    }

    private static func brief(_ value: Double) -> Double {
        guard value != 0, value.isFinite, abs(value) < 1000 else { return value.rounded() }
        let scale = pow(10, 3 - log10(abs(value)).rounded(.down))
        return scale.isFinite ? (value * scale).rounded() / scale : value
    }
}
