import ActivationPipeline
import CatalogMaintenance
import FeatureCatalog
import TerminalOutput
import Vocabulary

extension CompareCommand {
    /// Compares configurations by their figures of several seeds and prints the result.
    func compareSeeds(in catalog: Catalog) throws {
        let reference = try against.map { try StoredDictionary.record(named: $0, in: catalog) }
        let comparison = try SeedComparison(in: catalog, metrics: metric, against: reference, byLayer: byLayer)
        let corpora = Dictionary(
            try catalog.corpora().map { ($0.corpusID, $0.name) }, uniquingKeysWith: { first, _ in first })
        output.print(
            columns: [
                "metric", "layer", "corpus", "dictionary", "layers", "seeds", "mean", "least", "largest", "against",
                "difference", "smallest_claim", "holds",
            ],
            rows: comparison.rows.map { row in
                [
                    .text(row.metric), Cell(row.layer), Cell(row.corpusID.flatMap { corpora[$0] }),
                    .text(row.group.name), .text(LayerSpan.text(of: row.group.dictionaries[0].layers)),
                    Cell(row.sample.values.count), Cell(row.sample.mean), Cell(row.sample.values.min()),
                    Cell(row.sample.values.max()), Cell(row.reference?.group.name), Cell(row.reference?.difference),
                    Cell(row.reference?.smallestClaim), Cell(row.reference?.holds.map { $0 ? "yes" : "no" }),
                ]
            })
        if comparison.rows.isEmpty, output.format == .table {
            StandardStreams.remark("nothing was evaluated yet; 'routesae evaluate' makes figures")
        }
    }
}
