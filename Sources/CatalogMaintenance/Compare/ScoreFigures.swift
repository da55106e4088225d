import ActivationPipeline
package import FeatureCatalog
package import FeatureScoring
package import Vocabulary

/// The number of interpretable features by explanation scores, with its uncertainty.
///
/// A feature counts if its newest score exceeds the 95th percentile of the baseline (scores of wrong explanations on
/// the same dictionary), and a minimum if one is set. An undefined score does not count; a failed one is left out.
package struct ScoreFigures: Sendable {
    /// Features with a score, defined or not.
    package let scoredCount: Int
    /// Of these, the ones whose score is undefined.
    package let undefinedCount: Int
    /// The 95th percentile of the baseline scores; nil without any.
    package let chanceLimit: Double?
    /// Features that count.
    package let interpretableCount: Int
    /// Their share of the scored ones, with a bootstrap interval over features; the limit is taken as it is.
    package let share: BootstrapInterval?
    /// The mean of the defined scores, likewise.
    package let meanScore: BootstrapInterval?
    /// The mean baseline score.
    package let meanChance: Double?
    /// The defined scores, by feature.
    package let scores: [Double]
    /// The baseline scores, by feature.
    package let chances: [Double]

    /// The probability that an explanation scores better than a wrong one: the area under the ROC curve.
    package var separation: Double? { ChanceBaseline(scores: chances).separation(from: scores) }

    /// Size of the sampled population: features that fire as often as the scored ones had to. Nil if the scored ones
    /// were picked by name or condition, so that they represent only themselves.
    package let population: Int?

    /// The figures of a dictionary on a corpus.
    package struct Table: Sendable {
        /// Who explained and judged: `n2g`, `observed-ngram`, a language model's name where it judged explanations of its
        /// own run, or, where a run judged what there was, `n2g judged by` that name: the explainer is then a method or a
        /// language model, and several are joined by `and`.
        package let scorer: String
        /// All scorers of this kind in the catalog, the most recent first.
        package let scorers: [String]
        /// All features together.
        package let all: ScoreFigures
        /// By the layer in which they fire most, ascending.
        package let byLayer: [(layer: Int, figures: ScoreFigures)]
    }

    /// Computes the figures of a dictionary on a corpus. Scorers, and their baselines, are never mixed:
    /// each feature counts with its newest score by the scorer.
    ///
    /// - Parameters:
    ///   - method: which scores: `simulation`, `detection` or `fuzzing`.
    ///   - scorer: one of ``Table/scorers``; nil for the last.
    ///   - minimum: scores have to reach this as well.
    ///   - seed: of the bootstrap.
    ///   - withIntervals: whether to make the bootstrap, which takes longest; the ends of intervals are the means without.
    /// - Returns: nil where there are no such scores.
    /// - Throws: `CatalogError`, `WorkflowError.usage` for a scorer that is not there.
    package static func of(
        _ key: IndexingKey, method: ScoreMethod = .simulation, scorer: String? = nil, minimum: Double? = nil,
        seed: UInt64 = 0, withIntervals: Bool = true, in catalog: Catalog
    ) throws -> Table? {
        guard let choice = try Choice(key, method: method, scorer: scorer, byLayer: true, in: catalog) else {
            return nil
        }

        let layers = Dictionary(grouping: choice.scored.filter { $0.peakLayer != nil }) { $0.peakLayer ?? 0 }
        let population = try choice.minimumFirings.map { try catalog.featureCounts(key, minimumFirings: $0) }
        return Table(
            scorer: choice.scorer, scorers: choice.scorers,
            all: ScoreFigures(
                choice.scored, chance: choice.chance, minimum: minimum,
                population: population.map { $0.values.reduce(0, +) }, seed: withIntervals ? seed : nil),
            byLayer: layers.keys.sorted().map { layer in
                let figures = ScoreFigures(
                    layers[layer, default: []], chance: choice.chance, minimum: minimum,
                    population: population.map { $0[layer, default: 0] }, seed: withIntervals ? seed : nil)
                return (layer, figures)
            })
    }

    /// The 95th percentile of the baseline by the latest simulation scorer, and the number of features it rests on;
    /// without the bootstrap intervals, which take longest.
    ///
    /// - Returns: nil without such scores or without a baseline.
    package static func chanceLimit(
        _ key: IndexingKey, in catalog: Catalog
    ) throws -> (limit: Double, scoredCount: Int)? {
        guard let choice = try Choice(key, method: .simulation, scorer: nil, byLayer: false, in: catalog) else {
            return nil
        }
        return choice.chance.percentile().map { ($0, choice.scored.count) }
    }

    /// The scores used: each feature's newest by one scorer.
    private struct Choice {
        let scorer: String
        let scorers: [String]
        /// By feature.
        let scored: [BriefScore]
        let chance: ChanceBaseline
        /// Firings that a feature had to have to be scored; nil where features were picked in another way.
        let minimumFirings: Int?

        /// - Parameter byLayer: whether to look up where each feature fires most, which takes as long as all else.
        init?(
            _ key: IndexingKey, method: ScoreMethod, scorer: String?, byLayer: Bool, in catalog: Catalog
        ) throws {
            let scores = try catalog.briefScores(key, method: method, withPeakLayers: byLayer)
            var runs = ScoringRuns(catalog: catalog)
            // What one explainer's run scored stands together: who scored is asked once for each stretch.
            var tallies: [String: Tally] = [:]
            var start = 0
            while start < scores.count {
                let first = scores[start]
                let end =
                    scores[start...].firstIndex { $0.runID != first.runID || $0.explainer != first.explainer }
                    ?? scores.count
                let name = try runs.scorer(explainer: first.explainer, runID: first.runID)
                tallies[name, default: Tally()].add(scores, start..<end)
                start = end
            }

            let scorers = tallies.sorted { $0.value.last > $1.value.last }.map(\.key)
            if let scorer, tallies[scorer] == nil {
                throw WorkflowError.usage(
                    "`scorer`: nobody called \"\(scorer)\" gave \(method.rawValue) scores; there are: "
                        + (scorers.isEmpty ? "none" : scorers.joined(separator: ", ")))
            }
            guard let chosen = scorer ?? scorers.first, let tally = tallies[chosen] else { return nil }
            self.scorer = chosen
            self.scorers = scorers
            scored = tally.newest.values.map { scores[$0] }.sorted { $0.featureIndex < $1.featureIndex }
            chance = ChanceBaseline(scores: scored.map(\.chance))
            minimumFirings = try runs.minimumFirings(of: tally.runs)
        }
    }

    /// The scores by one scorer, as places among all.
    private struct Tally {
        /// The newest by feature.
        var newest: [Int: Int] = [:]
        var runs: Set<Int64> = []
        /// The last of all.
        var last = 0

        /// Adds some of one run.
        mutating func add(_ scores: [BriefScore], _ places: Range<Int>) {
            for place in places { newest[scores[place].featureIndex] = place }
            runs.insert(scores[places.lowerBound].runID)
            last = places.upperBound
        }
    }

    /// - Parameters:
    ///   - chance: the baseline of the whole dictionary: one layer has too few scores for its own.
    ///   - seed: of the bootstrap; nil for means alone.
    private init(_ scored: [BriefScore], chance: ChanceBaseline, minimum: Double?, population: Int?, seed: UInt64?) {
        func interval(_ values: [Double]) -> BootstrapInterval? {
            if let seed { BootstrapInterval(of: values, seed: seed) } else { BootstrapInterval(meanOf: values) }
        }
        let limit = chance.percentile()
        let counts = scored.map { feature in
            guard let score = feature.value, let limit else { return false }
            return score > limit && score >= minimum ?? score
        }

        let defined = scored.compactMap(\.value)
        scoredCount = scored.count
        undefinedCount = scored.count - defined.count
        chanceLimit = limit
        interpretableCount = counts.count { $0 }
        share = limit == nil ? nil : interval(counts.map { $0 ? 1 : 0 })
        meanScore = interval(defined)
        scores = defined
        chances = scored.compactMap(\.chance)
        meanChance = chances.isEmpty ? nil : chances.reduce(0, +) / Double(chances.count)
        self.population = population
    }
}
