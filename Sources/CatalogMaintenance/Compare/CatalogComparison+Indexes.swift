import ActivationPipeline
import FeatureCatalog

/// Compares indexes of a dictionary that both catalogs have.
extension CatalogComparison {
    /// - Parameter isAligned: whether features of equal number are the same.
    func compareIndexes(
        _ ours: [DictionaryFigures], _ theirs: [DictionaryFigures], into result: inout CatalogDifference,
        isAligned: Bool, changedTables: Set<String>
    ) throws {
        let (one, other) = (ours.filter { $0.corpus != nil }, theirs.filter { $0.corpus != nil })
        let identity: (DictionaryFigures) -> String = { $0.corpus.map(Self.identity) ?? "" }
        let (both, onlyA, onlyB) = Self.pairs(one, other, by: [identity])
        func subject(_ figures: DictionaryFigures) -> String {
            "\(figures.dictionary.name) on \(figures.corpus?.name ?? "")"
        }
        for index in onlyA {
            result.add(.index, subject(one[index]), onlyInFirst: true, "\(one[index].tokenCount ?? 0) tokens")
        }
        for index in onlyB {
            result.add(.index, subject(other[index]), onlyInFirst: false, "\(other[index].tokenCount ?? 0) tokens")
        }
        for (index, found) in both {
            if cancelled() { throw WorkflowError.interrupted("the comparison was not finished") }
            let subject = subject(one[index])
            add(try metrics(one[index], other[found]), of: subject, into: &result)
            guard let first = one[index].key, let second = other[found].key,
                !changedTables.isDisjoint(with: Self.indexTables)
            else { continue }
            for (mine, yours) in zip(try a.contentDigests(of: first), try b.contentDigests(of: second))
            where mine.sha256 != yours.sha256 {
                result.add(.table, subject, mine.table, .text(mine.sha256), .text(yours.sha256))
            }
            try compareFirings(first, second, of: subject, isAligned: isAligned, into: &result)
        }
    }

    private func metrics(_ one: DictionaryFigures, _ other: DictionaryFigures) throws -> [Metric] {
        func count(_ figures: DictionaryFigures, in catalog: Catalog) throws -> InterpretableCount? {
            try figures.key.map { try catalog.countInterpretable($0) }
        }

        let (ours, theirs) = (try count(one, in: a), try count(other, in: b))
        func number(_ name: String, _ path: KeyPath<DictionaryFigures, Double?>) -> Metric {
            Metric(name, .init(number: one[keyPath: path]), .init(number: other[keyPath: path]))
        }

        func count(_ name: String, _ path: KeyPath<DictionaryFigures, Int?>) -> Metric {
            Metric(name, .init(count: one[keyPath: path]), .init(count: other[keyPath: path]))
        }
        return [
            count("n_tokens", \.tokenCount), number("explained_variance", \.explainedVariance),
            count("n_alive", \.aliveCount), count("n_dead", \.deadCount),
            number("mean_active_per_token", \.meanActivePerToken), number("mean_layer_entropy", \.meanLayerEntropy),
            count("n_contexts", \.contextCount),
            Metric("with_class_rule", .init(count: ours?.withClassRule), .init(count: theirs?.withClassRule)),
            Metric("without_class_rule", .init(count: ours?.withoutClassRule), .init(count: theirs?.withoutClassRule)),
            count("n_explained", \.explainedCount), number("mean_simulation_score", \.meanScore),
            number("mean_simulation_baseline", \.meanChance), number("share_above_chance", \.shareAboveChance),
        ]
    }

    /// Compares the firing counts of each feature.
    private func compareFirings(
        _ first: IndexingKey, _ second: IndexingKey, of subject: String, isAligned: Bool,
        into result: inout CatalogDifference
    ) throws {
        guard isAligned else {
            result.add(
                .feature, subject, "n_fired not compared: features of equal number are others", .null, .null,
                isDifference: false)
            return
        }

        let (ours, theirs) = (try a.firedCounts(first), try b.firedCounts(second))
        let features = Set(ours.keys).union(theirs.keys)
        func difference(_ feature: Int) -> Double { abs(Double(theirs[feature] ?? 0) - Double(ours[feature] ?? 0)) }
        let changed = features.filter { ours[$0] != theirs[$0] }.sorted {
            (difference($0), $1) > (difference($1), $0)
        }
        guard !changed.isEmpty else { return }
        result.add(
            .feature, subject, "features with another n_fired", .null, .null, difference: Double(changed.count),
            isDifference: true)
        for feature in changed.prefix(Self.listedFeatures) {
            result.add(
                .feature, subject, "n_fired of feature \(feature)", .init(count: ours[feature]),
                .init(count: theirs[feature]))
        }
    }
}
