import ActivationPipeline
import FeatureCatalog
import Indexing
import Vocabulary

/// Combines indexes of parts of a text into one feature's index of the whole text.
///
/// Counts, sums, ranges, histograms, quantiles and documents equal those of one pass bit for bit (sums up to 2²⁹, see
/// `ActivationMoments`); so do the contexts, since their choice does not depend on how the text is divided, and the
/// peaks of token classes. Two things differ: firings of a class are lower bounds if a feature has more than 33
/// classes, in one pass as in parts; and co-firing features are an estimate anyway.
struct FeatureCombination {
    /// An index of a part.
    struct Part {
        let catalog: Catalog
        let key: IndexingKey
        /// The part's position: documents of the whole before it.
        let offset: Int
        /// The keys of the part's passages in the new catalog.
        let passages: [Int64: Int64]
        /// The part's text.
        let texts: PassageKeys
    }

    let options: IndexingOptions
    let seed: UInt64
    /// Occurrences of the parts' windows in the whole.
    let occurrences: WindowOccurrences

    init(options: IndexingOptions, seed: UInt64, parts: [Part], occurrences: WindowOccurrences) throws {
        self.options = options
        self.seed = seed
        self.occurrences = occurrences
        for part in parts {
            try part.catalog.forEachContextPlace(part.key) { passage, position in
                if let passage = part.passages[passage] { occurrences.add(passageID: passage, position: position) }
            }
        }
        try occurrences.count()
    }

    /// The combined entry of a feature.
    ///
    /// - Throws: `CatalogError`; `.damaged` if a part's numbers contradict each other.
    func entry(of feature: Int, in parts: [Part]) throws -> FeatureEntry {
        let found = try parts.map { try $0.catalog.featureParts($0.key, featureIndex: feature) }
        let entries = found.map(\.entry)
        for (part, entry) in zip(parts, entries) { try check(entry, in: part) }
        return FeatureEntry(
            record: record(of: feature, entries.map(\.record)),
            layers: layers(entries),
            tokens: tokens(entries),
            linearHistogram: linearHistogram(entries),
            contexts: try contexts(
                of: feature,
                zip(parts, found).flatMap { part, found in
                    try found.contexts.map { try Candidate($0, in: part) }
                }),
            cofirings: cofirings(entries))
    }

    /// Refuses an entry that lacks what an index of this kind has for a feature that fired.
    private func check(_ entry: FeatureEntry, in part: Part) throws {
        let record = entry.record
        guard record.firedCount > 0 else { return }
        let place = "\(part.catalog.path): feature \(record.featureIndex)"
        guard record.histogram.count == FiringHistogram.binCount else {
            throw CatalogError(.damaged, "\(place) has a histogram of other bins")
        }
        if let minimum = record.minActivation, let maximum = record.maxActivation, !(minimum <= maximum) {
            throw CatalogError(.damaged, "\(place) has a min_activation above its max_activation")
        }
        if let histogram = entry.linearHistogram, histogram.total != record.firedCount {
            throw CatalogError(.damaged, "\(place) has a feature_linear_histogram of other firings")
        }
    }

    private func record(of feature: Int, _ records: [FeatureRecord]) -> FeatureRecord {
        let fired = records.filter { $0.firedCount > 0 }
        var counts = [UInt64](repeating: 0, count: FiringHistogram.binCount)
        for record in fired {
            for (bin, count) in record.histogram.enumerated() { counts[bin] &+= UInt64(count) }
        }

        let minimum = fired.compactMap(\.minActivation).min()
        let maximum = fired.compactMap(\.maxActivation).max()
        var quantiles: FeatureRecord.Quantiles?
        if let maximum, let histogram = FiringHistogram(counts: counts) {
            // Version 1 of the catalog kept no smallest activation; the lowest bin with any is the next best.
            let least = fired.allSatisfy({ $0.minActivation != nil }) ? minimum ?? maximum : min(0, maximum)
            func quantile(_ share: Double) -> Float {
                histogram.quantile(share, minimum: least, maximum: maximum) ?? maximum
            }
            quantiles = FeatureRecord.Quantiles(
                p10: quantile(0.1), p50: quantile(0.5), p90: quantile(0.9), p99: quantile(0.99))
        }
        return FeatureRecord(
            featureIndex: feature,
            firedCount: records.reduce(0) { $0 + $1.firedCount },
            sumActivation: records.reduce(0) { $0 + $1.sumActivation },
            sumSquare: records.reduce(0) { $0 + $1.sumSquare },
            minActivation: fired.allSatisfy { $0.minActivation != nil } ? minimum : nil,
            maxActivation: maximum,
            quantiles: quantiles,
            decoderNorm: records.first?.decoderNorm ?? 0,
            documentCount: records.reduce(0) { $0 + $1.documentCount },
            histogram: fired.isEmpty ? [] : counts.map { Int(clamping: $0) })
    }

    /// Of equal bins; nil where a part with firings has none.
    private func linearHistogram(_ entries: [FeatureEntry]) -> LinearHistogram? {
        let histograms = entries.filter { $0.record.firedCount > 0 }.map(\.linearHistogram)
        guard let first = histograms.first, histograms.allSatisfy({ $0 != nil }) else { return nil }
        return histograms.dropFirst().reduce(first) { sum, next in next.flatMap { sum?.merged(with: $0) } }
    }

    private func layers(_ entries: [FeatureEntry]) -> [FeatureLayerRecord] {
        let groups = Dictionary(grouping: entries.flatMap(\.layers), by: \.layer)
        return groups.keys.sorted().compactMap { layer in
            guard let group = groups[layer], let first = group.first else { return nil }
            let weights = group.compactMap(\.sumRouterWeight)
            return FeatureLayerRecord(
                featureIndex: first.featureIndex, layer: layer,
                firedCount: group.reduce(0) { $0 + $1.firedCount },
                sumActivation: group.reduce(0) { $0 + $1.sumActivation },
                maxActivation: group.map(\.maxActivation).max() ?? first.maxActivation,
                sumRouterWeight: weights.count == group.count ? weights.reduce(0, +) : nil)
        }
    }

    private func tokens(_ entries: [FeatureEntry]) -> [FeatureTokenRecord] {
        let groups = Dictionary(grouping: entries.flatMap(\.tokens), by: \.tokenClass)
        let all = groups.values.compactMap { group -> FeatureTokenRecord? in
            let peaks = (group.map(\.activation1) + group.compactMap(\.activation2)).sorted(by: >)
            guard let first = group.first, let strongest = peaks.first else { return nil }
            return FeatureTokenRecord(
                featureIndex: first.featureIndex, tokenClass: first.tokenClass,
                firedCount: group.reduce(0) { $0 + $1.firedCount }, activation1: strongest,
                activation2: peaks.dropFirst().first)
        }

        let best = all.sorted { ($1.activation1, $0.tokenClass) < ($0.activation1, $1.tokenClass) }
        return Array(best.prefix(FeatureTokenRecord.keptClassCount))
    }

    /// Shares weighted by firings; a part that does not list a feature counts as if it never fired along.
    private func cofirings(_ entries: [FeatureEntry]) -> [CofiringRecord] {
        let total = entries.reduce(0) { $0 + Double($1.record.firedCount) }
        guard total > 0 else { return [] }
        var sums: [Int: (share: Double, lift: Double)] = [:]
        for entry in entries {
            let weight = Double(entry.record.firedCount) / total
            for cofiring in entry.cofirings {
                sums[cofiring.otherIndex, default: (0, 0)].share += weight * cofiring.share
                sums[cofiring.otherIndex, default: (0, 0)].lift += weight * cofiring.lift
            }
        }

        let best = sums.sorted { ($1.value.share, $0.key) < ($0.value.share, $1.key) }.prefix(options.cofirings)
        return best.map { CofiringRecord(otherIndex: $0.key, share: min(1, $0.value.share), lift: $0.value.lift) }
    }

    /// A context that may be kept.
    private struct Candidate {
        let context: ContextEntry
        let passage: Int64
        let place: FiringPlace

        init(_ placed: PlacedContext, in part: Part) throws {
            guard let passage = part.passages[placed.entry.passageID] else {
                throw CatalogError(.damaged, "\(part.catalog.path): a context has no passage")
            }
            context = placed.entry
            self.passage = passage
            place = FiringPlace(
                window: try part.texts.window(of: placed), passage: try part.texts.passage(of: placed),
                documentKey: DocumentKey.of(sha256: placed.documentSHA256),
                document: Int64(placed.ordinal + part.offset),
                position: Int32(truncatingIfNeeded: placed.tokenPosition))
        }
    }

    /// Chooses contexts as indexing does: the strongest; of other firing ones those of lowest priority; and likewise
    /// of the non-activating ones.
    private func contexts(of feature: Int, _ candidates: [Candidate]) throws -> [ContextEntry] {
        var top = TopFirings<Int>(capacity: options.topContexts)
        for (index, candidate) in candidates.enumerated() where candidate.context.band == .top {
            top.offer(firing(candidate, index))
        }

        var sample = PrioritySample<Int>(
            capacity: options.sampleContexts + options.topContexts, seed: seed, featureIndex: feature)
        var quiet = PrioritySample<Int>(capacity: options.quietContexts, seed: ~seed, featureIndex: feature)
        for (index, candidate) in candidates.enumerated() {
            if candidate.context.band == .quiet {
                quiet.offer(firing(candidate, index))
            } else {
                sample.offer(firing(candidate, index))
            }
        }
        return ContextChoice.choose(top: top, sample: sample, most: options.sampleContexts, quiet: quiet).map {
            chosen in
            let candidate = candidates[chosen.firing.payload]
            return ContextEntry(
                band: chosen.band, rank: chosen.rank, passageID: candidate.passage,
                position: candidate.context.position, layer: candidate.context.layer,
                routerWeight: candidate.context.routerWeight, activation: candidate.context.activation,
                split: chosen.split,
                occurrenceCount: occurrences.count(
                    passageID: candidate.passage, position: candidate.context.position),
                activations: candidate.context.activations)
        }
    }

    private func firing(_ candidate: Candidate, _ index: Int) -> Firing<Int> {
        Firing(place: candidate.place, activation: candidate.context.activation, payload: index)
    }
}
