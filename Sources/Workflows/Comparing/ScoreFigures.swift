public import FeatureCatalog
public import FeatureScoring

/// How many features are interpretable going by the scores of their explanations, and how sure that is.
///
/// A feature counts if the score of its newest explanation exceeds 95 % of what wrong explanations score on the same
/// dictionary, and a minimum if one is set. An undefined score does not count; one that failed is left out.
public struct ScoreFigures: Sendable {
    /// Features whose explanation was scored, or could not have a score.
    public let scoredCount: Int
    /// Of these, the ones whose score is undefined.
    public let undefinedCount: Int
    /// The score that 95 % of wrong explanations stay below; nil without any.
    public let chanceLimit: Double?
    /// Features that count.
    public let interpretableCount: Int
    /// Their share of the scored ones, with a bootstrap interval over features; the limit is taken as it is.
    public let share: BootstrapInterval?
    /// The mean of the defined scores, likewise.
    public let meanScore: BootstrapInterval?
    /// The mean of what wrong explanations score.
    public let meanChance: Double?
    /// The chance that an explanation scores better than a wrong one: the area under the ROC curve.
    public let separation: Double?

    /// One feature's score.
    private struct Scored {
        let score: Double?
        let chance: Double?
        let peakLayer: Int?
    }

    /// Works them out for a dictionary on a corpus.
    ///
    /// - Parameters:
    ///   - method: which scores: `simulation`, `detection` or `fuzzing`.
    ///   - minimum: scores have to reach this as well.
    ///   - seed: of the bootstrap.
    /// - Returns: for all features together, and for each layer in which scored features fire most, ascending.
    /// - Throws: `CatalogError`.
    public static func of(
        _ key: IndexingKey, method: ScoreRecord.Method = .simulation, minimum: Double? = nil, seed: UInt64 = 0,
        in catalog: Catalog
    ) throws -> (all: ScoreFigures, byLayer: [(layer: Int, figures: ScoreFigures)]) {
        let result = try catalog.rows(
            sql: """
                SELECT s.value, s.baseline_value, f.peak_layer FROM feature AS f
                JOIN score AS s ON s.score_id = (
                    SELECT max(o.score_id) FROM score AS o
                    WHERE o.explanation_id = f.explanation_id AND o.method = ?3)
                WHERE f.dictionary_id = ?1 AND f.corpus_id = ?2 AND f.explanation_id IS NOT NULL
                    AND s.status <> 'failed'
                ORDER BY f.feature_index
                """,
            arguments: [.integer(key.dictionaryID), .integer(key.corpusID), .text(method.rawValue)])
        let scored = result.rows.map { row in
            Scored(score: real(row[0]), chance: real(row[1]), peakLayer: integer(row[2]))
        }
        let chance = ChanceBaseline(scores: scored.map(\.chance))
        let layers = Dictionary(grouping: scored.filter { $0.peakLayer != nil }) { $0.peakLayer ?? 0 }
        return (
            ScoreFigures(scored, chance: chance, minimum: minimum, seed: seed),
            layers.keys.sorted().map {
                ($0, ScoreFigures(layers[$0, default: []], chance: chance, minimum: minimum, seed: seed))
            }
        )
    }

    /// - Parameter chance: of the whole dictionary: a layer has too few for a limit of its own.
    private init(_ scored: [Scored], chance: ChanceBaseline, minimum: Double?, seed: UInt64) {
        let limit = chance.percentile()
        let counts = scored.map { feature in
            guard let score = feature.score, let limit else { return false }
            return score > limit && score >= minimum ?? score
        }
        let defined = scored.compactMap(\.score)
        scoredCount = scored.count
        undefinedCount = scored.count - defined.count
        chanceLimit = limit
        interpretableCount = counts.reduce(0) { $0 + ($1 ? 1 : 0) }
        share = limit == nil ? nil : BootstrapInterval(of: counts.map { $0 ? 1 : 0 }, seed: seed)
        meanScore = BootstrapInterval(of: defined, seed: seed)
        let chances = scored.compactMap(\.chance)
        meanChance = chances.isEmpty ? nil : chances.reduce(0, +) / Double(chances.count)
        separation = ChanceBaseline(scores: chances).separation(from: defined)
    }

    private static func real(_ value: CatalogValue) -> Double? {
        if case .real(let number) = value { number } else { nil }
    }

    private static func integer(_ value: CatalogValue) -> Int? {
        if case .integer(let number) = value { Int(number) } else { nil }
    }
}
