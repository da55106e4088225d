import ActivationPipeline
package import FeatureCatalog
import FeatureScoring
import Indexing
import LinearAlgebra
import SparseCoding

/// Chooses the features to score: given ones, or a seeded sample of those that fire often enough and meet the
/// conditions.
package struct FeatureChoice {
    let settings: ScoringSettings

    package init(settings: ScoringSettings) {
        self.settings = settings
    }

    /// The features, ascending.
    ///
    /// - Throws: `WorkflowError.usage`, `.refused` where no feature qualifies.
    package func features(of key: IndexingKey, in catalog: Catalog) throws -> [Int] {
        let latentCount = try catalog.dictionary(key.dictionaryID).latentCount
        if let features = settings.features {
            if let wrong = features.first(where: { !(0..<latentCount).contains($0) }) {
                throw WorkflowError.usage("there is no feature \(wrong); the dictionary has 0 … \(latentCount - 1)")
            }
            return Set(features).sorted()
        }
        if let sample = settings.sample { try Allowed.from(1).check(sample, of: "sample") }

        let candidates = try candidates(key, in: catalog)
        guard !candidates.isEmpty else {
            let condition =
                settings.conditions.map { " and meets \($0.map { "'\($0)'" }.joined(separator: ", "))" } ?? ""
            throw WorkflowError.refused(
                "\(catalog.path): no feature fired \(settings.minimumFirings) times or more\(condition); "
                    + "lower `minFirings` or change `where`")
        }
        guard let sample = settings.sample, sample < candidates.count else { return candidates.map(\.featureIndex) }
        switch settings.stratum {
        case nil:
            var drawn = candidates.map(\.featureIndex)
            var generator = CounterGenerator(seed: settings.seed, stream: "scoring sample")
            generator.shuffle(&drawn)
            return drawn.prefix(sample).sorted()
        case .firingRate:
            let strata = StratifiedSample.quantiles(
                of: candidates.map { ($0.featureIndex, $0.firingRate) }, groups: min(10, sample))
            return StratifiedSample.draw(from: strata, count: sample, seed: settings.seed)
        case .layer:
            // Features whose layer is not known are a stratum of their own, before the others.
            let layers = Dictionary(grouping: candidates) { $0.peakLayer ?? -1 }
            let strata = layers.keys.sorted().map { layers[$0, default: []].map(\.featureIndex) }
            return StratifiedSample.draw(from: strata, count: sample, seed: settings.seed)
        }
    }

    private func candidates(_ key: IndexingKey, in catalog: Catalog) throws -> [FeatureCandidate] {
        let columns = try SummaryColumns(of: catalog)
        return try catalog.candidates(
            key, minimumFirings: settings.minimumFirings,
            conditions: (settings.conditions ?? []).map { try FeatureCondition($0, columns: columns) })
    }
}
