import ActivationPipeline
package import FeatureCatalog

/// Figures of evaluations by configuration, with what differs between seeds beside what differs between configurations.
package struct SeedComparison: Sendable {
    /// A figure of a configuration.
    package struct Row: Sendable {
        /// The metric.
        package let metric: String
        /// The layer; nil for all together.
        package let layer: Int?
        /// The corpus; nil if unknown.
        package let corpusID: Int64?
        /// The configuration.
        package let group: SeedGroup
        /// Its values.
        package let sample: SeedSample
        /// What it is compared with; nil where there is nothing, or where it is that itself.
        package let reference: Reference?
    }

    /// A configuration that others are compared with.
    package struct Reference: Sendable {
        /// The configuration.
        package let group: SeedGroup
        /// The mean minus the reference's.
        package let difference: Double
        /// The smallest difference that may be claimed; nil where no figure was measured twice.
        package let smallestClaim: Double?

        /// Whether the difference may be claimed.
        package var holds: Bool? { smallestClaim.map { abs(difference) > $0 } }
    }

    /// By metric, layer and corpus, the configurations in the order of the catalog.
    package let rows: [Row]

    /// Compares the newest figures of all dictionaries.
    ///
    /// - Parameters:
    ///   - metrics: which; empty for all.
    ///   - against: a dictionary of the configuration to compare with; nil for the best of those of one layer, chosen
    ///     after the fact for each figure. Figures of which neither more nor less is better are then compared with nothing.
    ///   - byLayer: whether figures of single layers are taken too.
    /// - Throws: `WorkflowError.badInput` for a metric that nothing was measured of, `CatalogError`.
    package init(
        in catalog: Catalog, metrics: [String] = [], against: DictionaryRecord? = nil, byLayer: Bool = false
    ) throws {
        let groups = try SeedGroup.all(in: catalog)
        var found: [Figure: [Int: [Double]]] = [:]
        for (number, group) in groups.enumerated() {
            for record in group.dictionaries {
                // In the order of the runs, so that the newest stays.
                var newest: [Figure: Double] = [:]
                for figure in try catalog.evaluations(dictionaryID: record.dictionaryID) {
                    guard let value = figure.value, byLayer || figure.layer == nil else { continue }
                    newest[Figure(metric: figure.metric, layer: figure.layer, corpusID: figure.corpusID)] = value
                }
                for (figure, value) in newest { found[figure, default: [:]][number, default: []].append(value) }
            }
        }
        let known = Set(found.keys.map(\.metric))
        if let unknown = metrics.first(where: { !known.contains($0) }) {
            throw WorkflowError.badInput(
                path: catalog.path,
                problem: "no figure \"\(unknown)\"; "
                    + (known.isEmpty
                        ? "'routesae evaluate' makes figures" : "there are \(known.sorted().joined(separator: ", "))"))
        }
        let wanted = against.flatMap { record in
            groups.firstIndex { $0.dictionaries.contains { $0.dictionaryID == record.dictionaryID } }
        }
        rows = found.keys.filter { metrics.isEmpty || metrics.contains($0.metric) }.sorted().flatMap { figure in
            let samples = (found[figure] ?? [:]).mapValues(SeedSample.init)
            let reference = wanted ?? Self.best(of: samples.filter { groups[$0.key].readsOneLayer }, figure.metric)
            return samples.keys.sorted().compactMap { number -> Row? in
                guard let sample = samples[number] else { return nil }
                var compared: Reference?
                if let reference, reference != number, let theirs = samples[reference] {
                    compared = Reference(
                        group: groups[reference], difference: sample.mean - theirs.mean,
                        smallestClaim: SeedSample.smallestClaim(
                            sample, theirs, others: samples.keys.sorted().compactMap { samples[$0] }))
                }
                return Row(
                    metric: figure.metric, layer: figure.layer, corpusID: figure.corpusID, group: groups[number],
                    sample: sample, reference: compared)
            }
        }
    }

    /// What is measured on what.
    private struct Figure: Hashable, Comparable {
        let metric: String
        let layer: Int?
        let corpusID: Int64?

        static func < (one: Figure, other: Figure) -> Bool {
            (one.metric, one.layer ?? -1, one.corpusID ?? -1) < (other.metric, other.layer ?? -1, other.corpusID ?? -1)
        }
    }

    /// The configuration with the best mean; nil where neither more nor less is better.
    private static func best(of samples: [Int: SeedSample], _ metric: String) -> Int? {
        guard let sign = sign(of: metric) else { return nil }
        return samples.keys.sorted().max { one, other in
            sign * (samples[one]?.mean ?? 0) < sign * (samples[other]?.mean ?? 0)
        }
    }

    /// 1 where more is better, −1 where less is; nil for what is neither.
    private static func sign(of metric: String) -> Double? {
        if metric.hasSuffix("_baseline") || metric.hasSuffix("_baseline_min") { return nil }
        let more = ["explained_variance", "recovered", "coverage", "census", "probe_", "coherence"]
        if more.contains(where: { metric.hasPrefix($0) }) { return 1 }
        let less = ["norm_mse", "kl", "ce_substituted", "delta_ce", "dead_share", "freq_over_", "average_max_"]
        return less.contains { metric.hasPrefix($0) } ? -1 : nil
    }
}
