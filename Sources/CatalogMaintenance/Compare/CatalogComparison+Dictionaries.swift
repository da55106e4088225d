import ActivationPipeline
import FeatureCatalog
import Indexing
import Vocabulary

/// Dictionaries: weights, settings and figures.
extension CatalogComparison {
    /// A dictionary of one of the catalogs.
    struct Side {
        let record: DictionaryRecord
        let catalog: Catalog
        let tensors: [TensorRecord]

        /// One digest of all weights, and of how they are stored.
        var digest: String {
            sha256(
                of: Array(
                    tensors.map { "\($0.name) \($0.dataType.rawValue) \($0.shape) \($0.sha256)" }.joined(
                        separator: "\n"
                    )
                    .utf8))
        }
    }

    /// Dictionaries are paired by name, the rest by weights.
    func compareDictionaries(into result: inout CatalogDifference, changedTables: Set<String>) throws {
        func sides(of catalog: Catalog) throws -> [Side] {
            try catalog.dictionaries().map {
                Side(record: $0, catalog: catalog, tensors: try catalog.tensors(dictionaryID: $0.dictionaryID))
            }
        }

        let (one, other) = (try sides(of: a), try sides(of: b))
        let (both, onlyA, onlyB) = Self.pairs(one, other, by: [{ $0.record.name }, \.digest])
        for (index, found) in both {
            try compare(one[index], other[found], into: &result, changedTables: changedTables)
        }

        func describe(_ side: Side) -> String {
            "\(side.record.architecture.rawValue), \(side.record.latentCount) latents, weights \(side.digest.prefix(12))…"
        }
        for (sides, only, isFirst) in [(one, onlyA, true), (other, onlyB, false)] {
            for side in only.map({ sides[$0] }) {
                result.add(.dictionary, side.record.name, onlyInFirst: isFirst, describe(side))
                for figures in try figures(of: side) {
                    guard let corpus = figures.corpus else { continue }
                    result.add(
                        .index, "\(side.record.name) on \(corpus.name)", onlyInFirst: isFirst,
                        "\(figures.tokenCount ?? 0) tokens")
                }
            }
        }
    }

    func figures(of side: Side) throws -> [DictionaryFigures] {
        try DictionaryFigures.all(in: side.catalog, dictionaryID: side.record.dictionaryID)
    }

    private func compare(
        _ one: Side, _ other: Side, into result: inout CatalogDifference, changedTables: Set<String>
    ) throws {
        let names = (one.record.name, other.record.name)
        if names.0 != names.1 { result.add(.dictionary, names.0, "name", .text(names.0), .text(names.1)) }
        try compareSettings(one, other, into: &result)
        var isAligned = true
        if one.digest != other.digest {
            result.add(.dictionary, names.0, "weights", .text(one.digest), .text(other.digest))
            isAligned = try match(one, other, into: &result)
        }

        let (ours, theirs) = (try figures(of: one), try figures(of: other))
        if let first = ours.first, let second = theirs.first {
            let metrics = [
                Metric("final_loss", .init(number: first.finalLoss), .init(number: second.finalLoss)),
                Metric(
                    "n_tokens_trained", .init(count: one.record.trainedTokenCount),
                    .init(count: other.record.trainedTokenCount)),
            ]
            add(metrics, of: names.0, into: &result)
        }
        try compareIndexes(
            ours, theirs, into: &result, isAligned: isAligned,
            // Digests are of rows that name their dictionary.
            changedTables: names.0 == names.1 ? changedTables : [])
    }

    /// A figure of both dictionaries.
    struct Metric {
        let name: String
        let a: CatalogValue
        let b: CatalogValue

        init(_ name: String, _ a: CatalogValue, _ b: CatalogValue) {
            self.name = name
            self.a = a
            self.b = b
        }
    }

    /// Adds all figures of a subject if any of them differs.
    func add(_ metrics: [Metric], of subject: String, into result: inout CatalogDifference) {
        guard metrics.contains(where: { $0.a != $0.b }) else { return }
        for metric in metrics where metric.a != .null || metric.b != .null {
            result.add(.metric, subject, metric.name, metric.a, metric.b)
        }
    }

    /// Matches features.
    ///
    /// - Returns: whether features of equal number are mostly each other's best match.
    private func match(_ one: Side, _ other: Side, into result: inout CatalogDifference) throws -> Bool {
        let widths = (StoredDecoder.width(of: one.record), StoredDecoder.width(of: other.record))
        guard widths.0 == widths.1 else {
            result.add(
                .dictionary, one.record.name, "width of a feature's vector (not matched)", .init(count: widths.0),
                .init(count: widths.1))
            return false
        }

        let label = "matching \(one.record.name)"
        let matching = try FeatureMatching(
            one.record, in: one.catalog, with: other.record, in: other.catalog, workers: workers, cancelled: cancelled,
            progress: { progress(label, $0, $1) })
        result.matched.append(CatalogDifference.Matched(one: one.record, other: other.record, matching: matching))
        let ways = (FeatureMatching.summary(of: matching.forward), FeatureMatching.summary(of: matching.backward))
        func add(_ name: String, _ a: CatalogValue, _ b: CatalogValue) {
            result.add(.match, one.record.name, name, a, b, isDifference: false)
        }
        add("mean_max_cosine", .init(number: ways.0.meanCosine), .init(number: ways.1.meanCosine))
        for (place, threshold) in FeatureMatching.thresholds.enumerated() {
            add("share_above_\(threshold)", .real(ways.0.shares[place]), .real(ways.1.shares[place]))
        }
        add("n_matched", .init(count: ways.0.count), .init(count: ways.1.count))
        add("n_mutual", .init(count: matching.mutualCount), .init(count: matching.mutualCount))
        guard one.record.latentCount == other.record.latentCount else { return false }
        let same = matching.forward.enumerated().reduce(0) { $0 + ($1.element?.featureIndex == $1.offset ? 1 : 0) }
        return 2 * same > one.record.latentCount
    }

    private func compareSettings(_ one: Side, _ other: Side, into result: inout CatalogDifference) throws {
        let (ours, theirs) = (try settings(of: one), try settings(of: other))
        let names = ours.map(\.name) + theirs.map(\.name)
        let (first, second) = (Self.byName(ours), Self.byName(theirs))
        var said: Set<String> = []
        var seen: Set<String> = []
        for name in names where seen.insert(name).inserted {
            let (a, b) = (first[name] ?? .null, second[name] ?? .null)
            // The same setting is stored in several rows: of the dictionary, its training, the run.
            let last = name.split(separator: ".").last ?? ""
            guard a != b, said.insert("\(last)\n\(a)\n\(b)").inserted else { continue }
            result.add(.setting, one.record.name, name, a, b)
        }
    }

    private static func byName(_ settings: [(name: String, value: CatalogValue)]) -> [String: CatalogValue] {
        Dictionary(settings.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    /// The settings that determined a dictionary.
    private func settings(of side: Side) throws -> [(name: String, value: CatalogValue)] {
        let record = side.record
        let model = try side.catalog.languageModels().first { $0.languageModelID == record.languageModelID }
        let run = try side.catalog.run(record.runID)
        return [
            ("architecture", .text(record.architecture.rawValue)), ("dModel", .init(count: record.dModel)),
            ("latents", .init(count: record.latentCount)), ("k", .init(count: record.k)),
            ("layers", .text("[" + record.layers.map { "\($0)" }.joined(separator: ",") + "]")),
            ("aggregation", .init(name: record.aggregation?.rawValue)),
            ("routing", .init(name: record.routing?.rawValue)), ("fidelity", .text(record.fidelity.rawValue)),
            ("activation_threshold", .real(record.activationThreshold)), ("model weights", .init(name: model?.sha256)),
            // As JSON gives it, so that the same is not said twice.
            ("seed", run.seed.map { Int64(exactly: $0).map { .integer($0) } ?? .text("\($0)") } ?? .null),
        ] + (try flattened(record.configJSON, in: side.catalog))
            + (try flattened(run.configJSON, in: side.catalog).map { ("run." + $0.name, $0.value) })
    }

    /// The values of a JSON document by their paths; arrays are values.
    private func flattened(_ json: String, in catalog: Catalog) throws -> [(name: String, value: CatalogValue)] {
        try catalog.jsonLeaves(of: json).map { ($0.path.isEmpty ? "config" : $0.path, $0.value) }
    }
}
