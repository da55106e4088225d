import ArgumentParser
import FeatureCatalog
import FeatureScoring
import TerminalOutput
import Workflows

extension CountCommand {
    /// Counts features by the scores of their explanations.
    func countScores(of indexed: IndexedDictionary, in catalog: Catalog) throws {
        let figures = try ScoreFigures.of(indexed.key, method: method, minimum: minScore, in: catalog)
        guard figures.all.scoredCount > 0 else {
            throw WorkflowError.refused(
                "dictionary \"\(indexed.record.name)\" has no \(method.rawValue) scores; run 'routesae score' first")
        }
        guard let limit = figures.all.chanceLimit else {
            throw WorkflowError.refused(
                "dictionary \"\(indexed.record.name)\" has no scores of wrong explanations to compare with; "
                    + "score two features or more")
        }
        let eligible = try eligibleCounts(indexed.key, in: catalog)
        let all = eligible.values.reduce(0, +)
        StandardStreams.remark(
            "95th percentile of chance: \(Quantities.significant(limit)), of "
                + "\(Quantities.count(figures.all.scoredCount)) features scored")
        var rows = [row(figures.all, layer: nil, eligible: all)]
        if byLayer {
            rows += figures.byLayer.map { row($0.figures, layer: $0.layer, eligible: eligible[$0.layer] ?? 0) }
        }
        output.print(
            columns: (byLayer ? ["layer"] : []) + [
                "n_scored", "n_undefined", "n_interpretable", "share", "share_low", "share_high", "n_alive",
                "estimated",
                "estimated_low", "estimated_high", "mean_score", "mean_score_low", "mean_score_high", "mean_chance",
                "auc",
            ], rows: rows)
    }

    private func row(_ figures: ScoreFigures, layer: Int?, eligible: Int) -> [Cell] {
        func estimate(_ share: Double?) -> Cell { Cell(share.map { Int(($0 * Double(eligible)).rounded()) }) }
        return (byLayer ? [Cell(layer)] : []) + [
            Cell(figures.scoredCount), Cell(figures.undefinedCount), Cell(figures.interpretableCount),
            Cell(figures.share?.mean), Cell(figures.share?.low), Cell(figures.share?.high), Cell(eligible),
            estimate(figures.share?.mean), estimate(figures.share?.low), estimate(figures.share?.high),
            Cell(figures.meanScore?.mean), Cell(figures.meanScore?.low), Cell(figures.meanScore?.high),
            Cell(figures.meanChance), Cell(figures.separation),
        ]
    }

    /// Features that fired, by the layer in which they fire most.
    private func eligibleCounts(_ key: IndexingKey, in catalog: Catalog) throws -> [Int: Int] {
        let result = try catalog.rows(
            sql: """
                SELECT peak_layer, count(*) FROM feature
                WHERE dictionary_id = ? AND corpus_id = ? AND n_fired > 0 GROUP BY peak_layer
                """,
            arguments: [.integer(key.dictionaryID), .integer(key.corpusID)])
        return Dictionary(
            result.rows.compactMap { row in
                guard case .integer(let layer) = row[0], case .integer(let count) = row[1] else { return nil }
                return (Int(layer), Int(count))
            }, uniquingKeysWith: +)
    }
}
