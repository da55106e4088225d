import ActivationPipeline
import ArgumentParser
import CatalogMaintenance
import FeatureCatalog
import FeatureScoring
import Indexing
import TerminalOutput
import Vocabulary

extension CountCommand {
    /// Counts features by the scores of their explanations.
    func countScores(of counted: [IndexedDictionary], in catalog: Catalog) throws {
        var rows: [[Cell]] = []
        for indexed in counted {
            let name = indexed.record.name
            guard
                let table = try ScoreFigures.of(
                    indexed.key, method: method, scorer: scorer, minimum: minScore, in: catalog)
            else {
                guard allDictionaries else {
                    throw WorkflowError.refused(
                        "dictionary \"\(name)\" has no \(method.rawValue) scores; run 'routesae score' first")
                }
                StandardStreams.remark("dictionary \"\(name)\" has no \(method.rawValue) scores")
                continue
            }
            if table.all.scoredCount == table.all.undefinedCount {
                let line =
                    "dictionary \"\(name)\" has no \(method.rawValue) score by \(table.scorer): "
                    + "all \(Quantities.count(table.all.scoredCount)) are undefined"
                guard allDictionaries else { throw WorkflowError.refused(line) }
                StandardStreams.remark(line)
                continue
            }
            guard let limit = table.all.chanceLimit else {
                guard !allDictionaries else {
                    StandardStreams.remark("dictionary \"\(name)\" has no scores of wrong explanations to compare with")
                    continue
                }
                throw WorkflowError.refused(
                    "dictionary \"\(name)\" has no scores of wrong explanations to compare with; "
                        + "score two features or more")
            }
            StandardStreams.remark(
                (allDictionaries ? "\(name): " : "")
                    + "95th percentile of chance: \(Quantities.significant(limit)), of "
                    + "\(Quantities.count(table.all.scoredCount)) features scored by \(table.scorer)"
                    + (table.scorers.count > 1
                        ? " (--scorer names others: \(table.scorers.dropFirst().joined(separator: ", ")))" : ""))
            rows.append(row(table.all, layer: nil, of: indexed))
            if byLayer { rows += table.byLayer.map { row($0.figures, layer: $0.layer, of: indexed) } }
        }
        output.print(
            columns: names + (byLayer ? ["layer"] : []) + [
                "n_scored", "n_undefined", "n_interpretable", "share", "share_low", "share_high", "n_population",
                "estimated", "estimated_low", "estimated_high", "mean_score", "mean_score_low", "mean_score_high",
                "mean_chance", "auc",
            ], rows: rows)
    }

    private func row(_ figures: ScoreFigures, layer: Int?, of indexed: IndexedDictionary) -> [Cell] {
        func estimate(_ share: Double?) -> Cell {
            Cell(share.flatMap { share in figures.population.map { Int((share * Double($0)).rounded()) } })
        }
        return name(indexed) + (byLayer ? [Cell(layer)] : []) + [
            Cell(figures.scoredCount), Cell(figures.undefinedCount), Cell(figures.interpretableCount),
            Cell(figures.share?.mean), Cell(figures.share?.low), Cell(figures.share?.high), Cell(figures.population),
            estimate(figures.share?.mean), estimate(figures.share?.low), estimate(figures.share?.high),
            Cell(figures.meanScore?.mean), Cell(figures.meanScore?.low), Cell(figures.meanScore?.high),
            Cell(figures.meanChance), Cell(figures.separation),
        ]
    }
}
