import CatalogMaintenance
import FeatureCatalog
import Indexing
import JSON

/// The features of two dictionaries, matched by their decoder vectors.
struct MatchedFeatures {
    /// Pairs listed.
    private static let most = 40
    /// The most multiplications that a page waits for.
    private static let mostWork = 17_179_869_184.0

    private let one: DictionaryRecord
    private let two: DictionaryRecord
    private let links: (one: DictionaryLinks, two: DictionaryLinks)
    private let matching: FeatureMatching
    private let ranked: [Int]
    private let names: (one: [Int: FeatureName], two: [Int: FeatureName])

    /// Whether two dictionaries can be matched while a page is waited for.
    static func isQuick(_ one: DictionaryRecord, _ two: DictionaryRecord) -> Bool {
        Double(one.latentCount) * Double(two.latentCount) * Double(one.dModel) <= mostWork
    }

    init(_ one: DictionaryRecord, _ two: DictionaryRecord, _ visit: Visit) throws {
        guard Self.isQuick(one, two) else {
            throw ViewerProblem(
                400, "\(one.name) and \(two.name) have too many features to match here; 'routesae compare' does it")
        }
        (self.one, self.two) = (one, two)
        links = (try visit.links(to: one), try visit.links(to: two))
        let matching = try FeatureMatching(
            one, in: visit.catalog, with: two, in: visit.catalog, workers: visit.site.workers)
        let farthestFirst = visit.query["farthest"] != nil
        let ranked = Array(matching.ranked(farthestFirst: farthestFirst).prefix(Self.most))
        let matches = ranked.compactMap { matching.forward[$0]?.featureIndex }
        (self.matching, self.ranked) = (matching, ranked)
        names = (try Self.names(of: ranked, one, visit), try Self.names(of: matches, two, visit))
    }

    private static func names(
        of features: [Int], _ record: DictionaryRecord, _ visit: Visit
    ) throws -> [Int: FeatureName] {
        guard let key = try visit.catalog.indexings(dictionaryID: record.dictionaryID).last?.key else { return [:] }
        return try FeatureName.of(features, key, in: visit.catalog)
    }

    /// The section of a page.
    var drawn: HTML {
        let rows = ranked.compactMap { feature -> HTML? in
            guard let match = matching.forward[feature] else { return nil }
            let mutual: HTML =
                matching.isMutual(feature) ? " <small title=\"each is the other's best match\">⇄</small>" : ""
            return """
                <tr><td class="n">\(Figure.number(Double(match.cosine)))\(mutual)</td>\
                <td class="wide"><a href="\(links.one.feature(feature))"><span class="id">\(feature)\
                </span> \(names.one[feature]?.short)</a></td>\
                <td class="wide"><a href="\(links.two.feature(match.featureIndex))">\
                <span class="id">\(match.featureIndex)</span> \
                \(names.two[match.featureIndex]?.short)</a></td></tr>
                """
        }
        let summary = FeatureMatching.summary(of: matching.forward)
        let shares = zip(FeatureMatching.thresholds, summary.shares).map { threshold, share -> HTML in
            ", \(Figure.share(share)) above \(Figure.number(threshold))"
        }
        return """
            <section><h2>Features matched \
            <small>each feature of the first with the one of the second whose decoder vector is nearest</small></h2>\
            <p>Mean of the largest cosines \(Figure.number(summary.meanCosine))\(shares). \
            \(Figure.count(matching.mutualCount)) pairs are each \
            other's best match.</p><div class="scroll"><table class="list"><thead><tr><th class="n">cosine</th>\
            <th><bdi>\(one.name)</bdi></th><th><bdi>\(two.name)</bdi></th></tr></thead><tbody>\(rows)</tbody></table>\
            </div></section>
            """
    }

    /// The pairs as data.
    var json: JSONValue {
        .array(
            ranked.compactMap { feature in
                matching.forward[feature].map { match in
                    .object([
                        "feature_index": JSONValue(feature), "match_index": JSONValue(match.featureIndex),
                        "cosine": JSONValue(match.cosine), "is_mutual": .boolean(matching.isMutual(feature)),
                    ])
                }
            })
    }
}
